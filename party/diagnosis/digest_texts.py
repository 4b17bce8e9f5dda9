"""Causes in what was hashed: they show only where somebody has the raw values.

The raw values are the party's own (`party.diagnosis.sample`), or placeholders, which everybody
has. Without either, a column of well-formed digests says nothing of how it was made, and the
diagnosis says so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt

from languages import message
from party.diagnosis.causes import REMEDIES, Cause, Finding, Level, cause_of, level_of
from party.diagnosis.column import SurveyedColumn
from party.diagnosis.digest_forms import HeldDigests
from party.diagnosis.sample import RawValues
from psi.columns import mask
from psi.digest_forms import HASHES, read_form
from psi.digest_variants import TextFault, Variant, placeholder_variants, variants
from psi.identifiers import ALGORITHMS, kind_of
from psi.placeholders import placeholder_digests
from psi.reasons import Reason

_MOSTLY: Final = 0.5
_WEAK: Final = frozenset({TextFault.CASE})
"""Of a placeholder, upper case tells little: NULL is written so by databases."""


@dataclass(frozen=True)
class Tried:
    """What became of the raw values that were tried: found by their right digest, or another.

    `missing` have none here and should, `unreadable` have no normalised form.
    """

    raw: RawValues
    right: int
    wrong: tuple[Variant, ...]
    missing: int
    unreadable: int

    @property
    def found(self) -> int:
        """How many raw values have a digest in the column, right or wrong."""
        return self.right + len(self.wrong)

    @property
    def looked_for(self) -> int:
        """How many raw values should have a digest."""
        return self.found + self.missing


def try_raw_values(column: SurveyedColumn, held: HeldDigests, raw: RawValues, gmail: bool) -> Tried:
    """Look for every digest that the usual mistakes make of raw values."""
    wanted = ALGORITHMS[kind_of(column.spec.type)]
    pool = {
        width: _pooled(width, digests, raw.digests, wanted)
        for width, digests in held.digests.items()
    }
    for text in raw.digests:
        digest = read_form(text, wanted).digest
        if digest is not None and len(digest) not in pool:
            pool[len(digest)] = _pooled(len(digest), None, raw.digests, wanted)
    right, missing = 0, 0
    wrong: list[Variant] = []
    made = [_made(column, text, raw, list(pool), gmail) for text in raw.texts]
    present = _present([digest for one in made for digest in one], pool)
    for at, one in enumerate(made):
        hits = sorted(
            (variant for digest, variant in one.items() if digest in present),
            key=lambda variant: len(variant.faults),
        )
        if not hits:
            missing += bool(one) and _ought_to_fit(column, raw.digests[at:][:1])
        elif hits[0].faults:
            wrong.append(hits[0])
        else:
            right += 1
    return Tried(raw, right, tuple(wrong), missing, made.count({}))


def text_findings(column: SurveyedColumn, tried: Tried) -> Iterator[Finding]:
    """Yield how the digests of raw values were made, where it was not the right way."""
    counts = Counter(fault for variant in tried.wrong for fault in variant.faults)
    for fault, count in counts.most_common():
        example = next(variant.text for variant in tried.wrong if fault in variant.faults)
        cause = cause_of(fault)
        share = count / tried.found
        people = round(share * column.filled)
        yield Finding(
            cause,
            column.name,
            level_of(people, column.filled),
            people,
            len(column.people),
            message(
                "fits {count} of {looked_for} raw values in {origin}",
                count=f"{count:,}",
                looked_for=f"{tried.looked_for:,}",
                origin=tried.raw.origin,
            ),
            REMEDIES[cause],
            mask(example),
        )
    if tried.missing:
        yield from _unexplained(column, tried)


def _unexplained(column: SurveyedColumn, tried: Tried) -> Iterator[Finding]:
    """Raw values whose digest is not here prove something only where it should be here."""
    share = tried.missing / tried.looked_for
    if tried.found and not tried.raw.paired:
        return
    people = round(share * column.filled)
    yield Finding(
        Cause.UNEXPLAINED,
        column.name,
        Level.CORRECT if share >= _MOSTLY else Level.CONSIDER,
        people,
        len(column.people),
        message(
            "for {missing} of {looked_for} raw values in {origin} no variant is here",
            missing=f"{tried.missing:,}",
            looked_for=f"{tried.looked_for:,}",
            origin=tried.raw.origin,
        ),
        REMEDIES[Cause.UNEXPLAINED],
    )


def placeholder_findings(column: SurveyedColumn, held: HeldDigests) -> Iterator[Finding]:
    """Yield how placeholders were hashed: the whole column was made in the same way."""
    width = column.survey.digests.shape[1]
    known = placeholder_variants(kind_of(column.spec.type), HASHES[width])
    refused = column.survey.refused.get(Reason.DIGEST_OF_PLACEHOLDER, ())
    texts = [column.text(at) for at in refused]
    pool = _pooled(width, held.digests[width], texts, HASHES[width])
    present = _present(list(known), {width: pool})
    seen: dict[TextFault, Variant] = {}
    for digest in sorted(present):
        for fault in known[digest].faults:
            seen.setdefault(fault, known[digest])
    for fault, variant in seen.items():
        weak = fault in _WEAK
        cause = cause_of(fault)
        found = Finding(
            cause,
            column.name,
            Level.CONSIDER if weak else Level.CORRECT,
            column.filled,
            len(column.people),
            message("a placeholder was hashed so; probably the others too"),
            REMEDIES[cause],
            mask(variant.text),
        )
        if weak:
            found = replace(found, evidence="a placeholder was hashed in upper case; try --sample")
        yield found


def _ought_to_fit(column: SurveyedColumn, beside: Sequence[str]) -> bool:
    """Return whether a raw value should have a digest: not where none stands beside it."""
    kind = kind_of(column.spec.type)
    wanted = ALGORITHMS[kind]
    digests = [read_form(text, wanted).digest for text in beside]
    return all(one and one not in placeholder_digests(kind, wanted) for one in digests)


def _made(
    column: SurveyedColumn, text: str, raw: RawValues, widths: Sequence[int], gmail: bool
) -> dict[bytes, Variant]:
    made: dict[bytes, Variant] = {}
    for width in widths:
        made |= variants(
            column.spec.type,
            text,
            algorithm=HASHES[width],
            region=raw.region,
            gmail=gmail and kind_of(column.spec.type) == "email",
        )
    return made


def _pooled(
    width: int, held: npt.NDArray[np.uint8] | None, texts: Sequence[str], wanted: str
) -> npt.NDArray[np.uint8]:
    """Return held digests of one length and those that some texts spell."""
    read = [read_form(text, wanted).digest for text in texts]
    more = b"".join(digest for digest in read if digest is not None and len(digest) == width)
    brought = np.frombuffer(more, dtype=np.uint8).reshape(-1, width)
    return brought if held is None else np.concatenate([held, brought])


def _present(made: Sequence[bytes], pool: Mapping[int, npt.NDArray[np.uint8]]) -> set[bytes]:
    """Return which digests are in the pool of their length."""
    present: set[bytes] = set()
    for width, held in pool.items():
        candidates = b"".join(digest for digest in made if len(digest) == width)
        ours = np.frombuffer(candidates, dtype=f"V{width}")
        theirs = np.ascontiguousarray(held).view(f"V{width}").reshape(-1)
        present |= {bytes(one) for one in np.intersect1d(ours, theirs)}
    return present
