"""Columns of identifiers: from a declared Arrow column to digests and a statement of quality.

A raw column in which one value is already a digest, or a digest column in which one value is not,
is declared wrongly: hashing it would give keys that meet nobody's, silently. So the whole column is
refused. Values that are refused one by one are counted by reason. No identifier leaves this module:
examples are masked (docs/protocol.md, Identifiers).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from psi.arrow import integers, is_compact, positions
from psi.characters import trim
from psi.chunks import in_order
from psi.digests import recognise_digest
from psi.engines import engine
from psi.errors import EmptyColumn, IdentifierError, Rejected
from psi.identifiers import ALGORITHMS, NAMESPACED, digest, digest_width, kind_of, normalise
from psi.identifiers import parse_digest as parse_digest_text
from psi.phones import require_region
from psi.plain import digest_plain
from psi.reasons import Reason

if TYPE_CHECKING:
    import pyarrow as pa

_CHUNK = 8_192  # distinct values a task
_ROWS_SHOWN = 5
_MASK_LENGTH = 40
_REASONS = tuple(Reason)
_ACCEPTED, _BLANK = -1, -2
# Reasons for which a value of a digest column is refused alone; the others condemn the column.
_REFUSED_IN_DIGESTS = frozenset({Reason.PLACEHOLDER, Reason.DIGEST_OF_PLACEHOLDER})


@dataclass(frozen=True)
class ColumnSpec:
    """What a column is declared to hold: a type, raw or digested, and how to read it."""

    type: str
    digested: bool = False
    region: str | None = None
    gmail: bool = False

    def __post_init__(self) -> None:
        kind = kind_of(self.type)
        if self.region is not None and kind != "phone":
            raise IdentifierError(f"{kind} takes no region; only phone does")
        if self.region is not None and self.digested:
            raise IdentifierError("a column of digests takes no region: they were made from E.164")
        require_region(self.region)

    @classmethod
    def parse(cls, text: str, *, region: str | None = None, gmail: bool = False) -> ColumnSpec:
        """Return the spec of a declaration: `email`, `phone_sha256`, `imei_md5`, `openid:wx1`.

        `gmail` is the request's choice and has an effect on raw e-mail columns only.
        """
        name, underscore, algorithm = text.rpartition("_")
        digested = bool(underscore) and algorithm in {"sha256", "md5"}
        declared = name if digested else text
        kind = kind_of(declared)
        if digested and ALGORITHMS[kind] != algorithm:
            raise IdentifierError(
                f"{text!r}: {kind} is exchanged as {ALGORITHMS[kind]}; declare "
                f"{declared}_{ALGORITHMS[kind]} and deliver such digests"
            )
        return cls(declared, digested, region, gmail and kind == "email" and not digested)

    @property
    def declaration(self) -> str:
        """The declaration that `parse` reads."""
        return f"{self.type}_{self._algorithm}" if self.digested else self.type

    @property
    def _algorithm(self) -> str:
        return ALGORITHMS[kind_of(self.type)]


@dataclass(frozen=True)
class Quality:
    """What became of the rows of one column. Counts are exact: they stay with the party."""

    rows: int
    valid: int
    null: int
    refused: dict[str, int] = field(default_factory=dict)
    distinct: int = 0
    examples: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the statement as a JSON object."""
        return {
            "rows": self.rows,
            "valid": self.valid,
            "null": self.null,
            "refused": dict(self.refused),
            "distinct": self.distinct,
            "examples": dict(self.examples),
        }


@dataclass(frozen=True, eq=False, repr=False)
class Column:
    """n rows of digests (n, width) uint8; rows where `valid` is False are zero."""

    digests: npt.NDArray[np.uint8]
    valid: npt.NDArray[np.bool_]
    quality: Quality


@dataclass(frozen=True, eq=False)
class _Reading:
    """Some distinct values read: digests, why not, and which contradict the declaration."""

    digests: npt.NDArray[np.uint8]
    codes: npt.NDArray[np.int8]  # index into _REASONS, or _ACCEPTED, or _BLANK
    contradictions: dict[int, str]  # position -> what the value is instead
    examples: dict[str, str]


def read_column(
    spec: ColumnSpec,
    values: pa.Array | pa.ChunkedArray,
    *,
    rows: npt.NDArray[np.int64] | None = None,
    executor: Executor | None = None,
) -> Column:
    """Return the digests of a column; equal values are normalised once.

    Blank text counts as null. Raises `EmptyColumn` when the column holds no value and
    `IdentifierError` when it is not text or whole numbers, or contradicts its declaration: then it
    names up to five rows, counted from 1. Where the values are an excerpt, `rows` (n,) says in
    which row, from 0, each of them stands. With an `executor`, chunks of distinct values are mapped
    over it where there are several.
    """
    distinct, indices = _dictionary(values)
    del values  # texts leave memory as soon as they are read
    reading = _read(spec, distinct, executor)
    del distinct
    codes = np.append(reading.codes, np.int8(_BLANK))[indices]
    _refuse_contradictions(spec, reading.contradictions, indices, rows)
    nulls = int(np.count_nonzero(codes == _BLANK))
    if nulls == len(indices):
        raise EmptyColumn(
            f"the column holds no value to read as {spec.declaration}: name another column or "
            f"leave it out of the declaration"
        )
    valid = codes == _ACCEPTED
    digests = np.concatenate([reading.digests, np.zeros_like(reading.digests[:1])])[indices]
    quality = Quality(
        rows=len(indices),
        valid=int(np.count_nonzero(valid)),
        null=nulls,
        refused=_count_reasons(codes),
        distinct=_count_distinct(reading),
        examples=reading.examples,
    )
    return Column(digests, valid, quality)


@dataclass(frozen=True, eq=False, repr=False)
class Survey:
    """What the distinct values of a column are, one by one; nothing condemns the whole column.

    `texts` holds d distinct values and `of_row` (rows,) int64 the position of each row's, or d
    where there is none. `digests` (d, width) uint8 and `accepted` (d,) say what would be matched;
    `refused` gives positions by reason; `contradictions` what a value is instead of the declared.
    """

    texts: pa.Array
    of_row: npt.NDArray[np.int64]
    digests: npt.NDArray[np.uint8]
    accepted: npt.NDArray[np.bool_]
    refused: dict[str, npt.NDArray[np.int64]]
    contradictions: dict[int, str]


def survey_column(spec: ColumnSpec, values: pa.Array | pa.ChunkedArray) -> Survey:
    """Return what each distinct value of a column is, also where `read_column` refuses it.

    Raises `IdentifierError` when the column is not text or whole numbers.
    """
    distinct, indices = _dictionary(values)
    reading = _read(spec, distinct, None)
    accepted = reading.codes == _ACCEPTED
    accepted[list(reading.contradictions)] = False
    codes = reading.codes.copy()
    codes[list(reading.contradictions)] = _ACCEPTED  # told apart by what they are instead
    refused = {str(reason): np.flatnonzero(codes == at) for at, reason in enumerate(_REASONS)}
    return Survey(
        distinct,
        indices,
        reading.digests,
        accepted,
        {reason: found for reason, found in refused.items() if len(found)},
        reading.contradictions,
    )


def mask(text: str) -> str:
    """Return the shape of a value: letters as x, digits as 9, invisible characters by number."""
    shown = "".join(_mask_character(character) for character in text[:_MASK_LENGTH])
    return shown + "…" * (len(text) > _MASK_LENGTH)


def _mask_character(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Nd":
        return "9"
    if category[0] in "LN":
        return "X" if category in {"Lu", "Lt"} else "x"
    if character == " " or (character.isascii() and character.isprintable()):
        return character
    return f"<U+{ord(character):04X}>" if category[0] in "CZ" else "?"


def _dictionary(values: pa.Array | pa.ChunkedArray) -> tuple[pa.Array, npt.NDArray[np.int64]]:
    """Return the distinct texts and, for each row, its position there (their number if null)."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if isinstance(values, pa.DictionaryArray) and is_compact(values):
        return values.dictionary, positions(values.indices, missing=len(values.dictionary))
    kind = values.type.value_type if pa.types.is_dictionary(values.type) else values.type
    if pa.types.is_floating(kind):
        raise IdentifierError(
            "the column holds floating-point numbers, which lose digits and leading zeros: "
            "export identifiers as text"
        )
    try:
        texts = values.cast(pa.large_string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise IdentifierError(
            f"the column is of type {kind}, and identifiers are text: export it as UTF-8 text"
        ) from None
    if isinstance(texts, pa.ChunkedArray):
        texts = texts.combine_chunks()
    encoded = pc.dictionary_encode(texts)
    return encoded.dictionary, positions(encoded.indices, missing=len(encoded.dictionary))


def _read(spec: ColumnSpec, distinct: pa.Array, executor: Executor | None) -> _Reading:
    """Read distinct values: the plain ones at once where the engine can, the others one by one."""
    width = digest_width(spec.type)
    kind = kind_of(spec.type)
    plain = digest_plain(kind, ALGORITHMS[kind], spec.digested, distinct, gmail=spec.gmail)
    if plain is None:
        return _join(_readings(spec, distinct, executor), width)
    digests, taken = plain
    others = np.flatnonzero(~taken)
    rest = _join(_readings(spec, distinct.take(integers(others)), executor), width)
    digests[others] = rest.digests
    codes = np.full(len(taken), _ACCEPTED, dtype=np.int8)
    codes[others] = rest.codes
    contradictions = {int(others[at]): what for at, what in rest.contradictions.items()}
    return _Reading(digests, codes, contradictions, rest.examples)


def _readings(
    spec: ColumnSpec, distinct: pa.Array, executor: Executor | None
) -> Iterator[_Reading]:
    if len(distinct) <= _CHUNK:
        executor = None  # a process takes longer to start than one task
    chunks = (
        (spec, distinct.slice(start, _CHUNK).to_pylist())
        for start in range(0, len(distinct), _CHUNK)
    )
    return in_order(_read_chunk, chunks, executor)


def _read_chunk(spec: ColumnSpec, texts: list[str]) -> _Reading:
    digests = np.zeros((len(texts), digest_width(spec.type)), dtype=np.uint8)
    codes = np.full(len(texts), _ACCEPTED, dtype=np.int8)
    contradictions: dict[int, str] = {}
    examples: dict[str, str] = {}
    read, contradiction = _reader(spec)
    for position, text in enumerate(texts):
        reason: str | None = None
        try:
            digests[position] = np.frombuffer(read(text), dtype=np.uint8)
        except Rejected as rejected:
            reason = rejected.reason
            codes[position] = _REASONS.index(Reason(reason)) if trim(text) else _BLANK
        found = contradiction(text, reason)
        if found:
            contradictions[position] = found
        elif reason and codes[position] != _BLANK:
            examples.setdefault(reason, mask(text))
    return _Reading(digests, codes, contradictions, examples)


_Read = Callable[[str], bytes]
_Contradiction = Callable[[str, str | None], str | None]


def _reader(spec: ColumnSpec) -> tuple[_Read, _Contradiction]:
    """Return how to read a value, and what in it would contradict the declaration."""
    kind = kind_of(spec.type)
    opaque = kind in NAMESPACED

    def read_raw(text: str) -> bytes:
        return digest(spec.type, normalise(spec.type, text, region=spec.region, gmail=spec.gmail))

    def read_digest(text: str) -> bytes:
        return parse_digest_text(spec.type, text)

    def digest_in_raw(text: str, reason: str | None) -> str | None:
        if reason is None and not opaque:
            return None
        return recognise_digest("opaque" if opaque else kind, text)

    def raw_in_digests(text: str, reason: str | None) -> str | None:
        return None if reason is None or reason in _REFUSED_IN_DIGESTS else reason

    return (read_digest, raw_in_digests) if spec.digested else (read_raw, digest_in_raw)


def _join(readings: Iterator[_Reading], width: int) -> _Reading:
    digests, codes = [np.zeros((0, width), dtype=np.uint8)], [np.zeros(0, dtype=np.int8)]
    contradictions: dict[int, str] = {}
    examples: dict[str, str] = {}
    start = 0
    for reading in readings:
        contradictions |= {start + at: what for at, what in reading.contradictions.items()}
        examples = reading.examples | examples
        digests.append(reading.digests)
        codes.append(reading.codes)
        start += len(reading.codes)
    return _Reading(np.concatenate(digests), np.concatenate(codes), contradictions, examples)


def _refuse_contradictions(
    spec: ColumnSpec,
    contradictions: dict[int, str],
    indices: npt.NDArray[np.int64],
    rows: npt.NDArray[np.int64] | None,
) -> None:
    if not contradictions:
        return
    found = np.flatnonzero(np.isin(indices, list(contradictions)))
    if rows is not None:
        found = found[np.argsort(rows[found], kind="stable")]
    shown = found[:_ROWS_SHOWN]
    named = ", ".join(str(row + 1) for row in (shown if rows is None else rows[shown]))
    what = contradictions[int(indices[found[0]])]
    if spec.digested:
        raise IdentifierError(
            f"declared {spec.declaration}, but row {named}: {what}; declare the column as "
            f"{spec.type} when it is raw, and keep raw values and digests in columns of their own"
        )
    algorithm = ALGORITHMS[kind_of(spec.type)]
    remedy = (
        f"declare the column as {spec.type}_{algorithm}, and keep raw values in another"
        if what == algorithm
        else f"{spec.type} is exchanged as {algorithm}: deliver it raw or as {algorithm}"
    )
    raise IdentifierError(
        f"declared {spec.declaration}, but row {named}: already a digest ({what}); {remedy}"
    )


def _count_reasons(codes: npt.NDArray[np.int8]) -> dict[str, int]:
    counts = np.bincount(codes[codes >= 0], minlength=len(_REASONS))
    return {str(_REASONS[code]): int(counts[code]) for code in np.flatnonzero(counts)}


def _count_distinct(reading: _Reading) -> int:
    accepted = reading.digests[reading.codes == _ACCEPTED]
    order = engine().sort_order(accepted)
    distinct = min(1, len(order))
    for start in range(1, len(order), _CHUNK):
        stop = min(start + _CHUNK, len(order))
        ordered = accepted[order[start - 1 : stop]]
        distinct += int(np.count_nonzero(np.any(ordered[1:] != ordered[:-1], axis=1)))
    return distinct
