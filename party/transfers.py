"""Transfers across borders, and what each rests on: the section `transfers` of a contract.

In every output each side's blinded identifiers go to the other (docs/protocol.md): they are about
people, and the law calls it a transfer when they leave a country. So for every pair of parties
that an output brings together, and every area in which data of the one lies and the other is
elsewhere, the contract says on which basis it leaves, with a reference that an authority can be
shown. What is not stated is refused; so is what no output needs, because people sign it as fact.

Whether the basis exists and suffices is for the parties' lawyers: no program can know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import permutations
from typing import Final

from languages import message
from party.card import IdentityCard
from party.contract_terms import Grant, read_time, write_time
from party.document import Section, TextRule
from party.errors import ContractError
from party.places import CODES, EEA, JURISDICTION, area_of

TRANSFERS: Final = "transfers"
_REQUIRED: Final = ("from", "to", "out_of", "basis", "reference")
_MOST: Final = 6 * 17  # ordered pairs of three, times the areas that one party may declare
_AREA: Final = TextRule(message("a country by its two letters of ISO 3166-1, or EEA"), most=3)
_REFERENCE: Final = TextRule(message("a line of text that names the filing, decision or agreement"))


class Basis(StrEnum):
    """On what data may leave: PIPL 38 for China, GDPR 45–49 for the EEA and the United Kingdom."""

    SECURITY_ASSESSMENT = "security-assessment"
    STANDARD_CONTRACT = "standard-contract"
    CERTIFICATION = "certification"
    EXEMPTION = "exemption"
    ADEQUACY = "adequacy"
    STANDARD_CLAUSES = "standard-clauses"
    BINDING_RULES = "binding-corporate-rules"
    CODE_OF_CONDUCT = "code-of-conduct"
    DEROGATION = "derogation"
    LOCAL_LAW = "local-law"


_PIPL: Final = (
    Basis.SECURITY_ASSESSMENT,
    Basis.STANDARD_CONTRACT,
    Basis.CERTIFICATION,
    Basis.EXEMPTION,
)
_GDPR: Final = (
    Basis.ADEQUACY,
    Basis.STANDARD_CLAUSES,
    Basis.BINDING_RULES,
    Basis.CERTIFICATION,
    Basis.CODE_OF_CONDUCT,
    Basis.DEROGATION,
)
_LAWS: Final[Mapping[str, tuple[Basis, ...]]] = {"CN": _PIPL, EEA: _GDPR, "GB": _GDPR}


def bases_of(area: str) -> tuple[Basis, ...]:
    """Return the bases on which data may leave an area; elsewhere what its own law says."""
    return _LAWS.get(area, (Basis.LOCAL_LAW,))


@dataclass(frozen=True, order=True)
class Crossing:
    """Data of `sender` that leaves the area `out_of` for `receiver`."""

    sender: str
    receiver: str
    out_of: str

    def __str__(self) -> str:
        return f"{self.sender} to {self.receiver}, out of {self.out_of}"


@dataclass(frozen=True)
class Transfer:
    """A crossing with what it rests on; `until` (Unix seconds) is when that lapses, if it does."""

    crossing: Crossing
    basis: Basis
    reference: str
    until: int | None = None

    @classmethod
    def read(cls, section: Section, parties: Iterable[str]) -> Transfer:
        """Read one entry of `transfers`."""
        names = tuple(parties)
        sender, receiver = section.choice("from", names), section.choice("to", names)
        if sender == receiver:
            raise section.fault("to", message("a party passes nothing to itself; remove the entry"))
        out_of = _area(section)
        basis = section.choice("basis", bases_of(out_of))
        until = read_time(section, "until") if "until" in section else None
        return cls(
            Crossing(sender, receiver, out_of),
            Basis(basis),
            section.text("reference", _REFERENCE),
            until,
        )

    @classmethod
    def parse(cls, text: str) -> Transfer:
        """Return a transfer as the command line has it: FROM:TO:OUT_OF:BASIS:REFERENCE.

        Raises:
            ContractError: it has not this form, or the area's law has no such basis.
        """

        def fail(problem: str) -> ContractError:
            return ContractError(
                message("the transfer '{text}': {problem}", text=text[:80], problem=problem)
            )

        parts = text.split(":", len(_REQUIRED) - 1)
        if len(parts) != len(_REQUIRED):
            raise fail(message("expected FROM:TO:OUT_OF:BASIS:REFERENCE"))
        said = dict(zip(_REQUIRED, parts, strict=True))
        return cls.read(Section(said, "", fail, required=_REQUIRED), parts[:2])

    def to_json(self) -> dict[str, object]:
        """Return the entry as it was read."""
        crossing = self.crossing
        document: dict[str, object] = {
            "from": crossing.sender,
            "to": crossing.receiver,
            "out_of": crossing.out_of,
            "basis": self.basis.value,
            "reference": self.reference,
        }
        if self.until is not None:
            document["until"] = write_time(self.until)
        return document


def read_transfers(
    root: Section, cards: Mapping[str, IdentityCard], grants: Sequence[Grant]
) -> tuple[Transfer, ...]:
    """Read the section `transfers`, which states exactly the crossings that the outputs make.

    A contract whose parties declare nothing has none; where one of them declares, all do.
    """
    entries = (
        root.sections(TRANSFERS, required=_REQUIRED, optional=("until",), most=_MOST)
        if TRANSFERS in root
        else []
    )
    needed = _crossings(root, cards, grants)
    stated: dict[Crossing, Transfer] = {}
    for entry in entries:
        transfer = Transfer.read(entry, cards)
        if transfer.crossing not in needed:
            raise entry.fault(
                "from",
                message(
                    "nothing goes from {crossing}, by the places and the outputs of "
                    "this contract; remove the entry",
                    crossing=transfer.crossing,
                ),
            )
        if transfer.crossing in stated:
            raise entry.fault(
                "from",
                message(
                    "{crossing}, is stated twice; keep one",
                    crossing=transfer.crossing,
                ),
            )
        stated[transfer.crossing] = transfer
    missing = [crossing for crossing in needed if crossing not in stated]
    if missing:
        raise root.fault(TRANSFERS, _unstated(missing, cards))
    return tuple(stated.values())


def require_not_lapsed(transfers: Iterable[Transfer], contract_id: str, now: int) -> None:
    """Raise ContractError when what a transfer rests on has lapsed at `now` (Unix seconds)."""
    for transfer in transfers:
        if transfer.until is not None and now >= transfer.until:
            raise ContractError(
                message(
                    "Contract {contract_id}: what the transfer from {crossing} "
                    "rested on ({basis}) lapsed on {until}. Renew it, and agree on a "
                    "new contract that says so.",
                    contract_id=contract_id,
                    crossing=transfer.crossing,
                    basis=transfer.basis,
                    until=write_time(transfer.until),
                )
            )


def _crossings(
    root: Section, cards: Mapping[str, IdentityCard], grants: Sequence[Grant]
) -> tuple[Crossing, ...]:
    declared = [name for name, card in cards.items() if card.places is not None]
    if not declared:
        return ()
    for name, card in cards.items():
        if card.places is None:
            raise root.fault(
                f"parties.{name}.{JURISDICTION}",
                message(
                    "is missing: {declared} declared where data lies and '{name}' "
                    "did not, so it is not known whether data crosses a border. "
                    "{name} adds 'jurisdiction' and 'storage' to its public.yaml and "
                    "sends the card again",
                    declared=" and ".join(declared),
                    name=name,
                ),
            )
    together = {
        pair for grant in grants for pair in permutations(dict.fromkeys(grant.roles.values()), 2)
    }
    return tuple(
        Crossing(sender, receiver, area)
        for sender, receiver in permutations(cards, 2)
        if (sender, receiver) in together
        for area in _areas(cards[sender])
        if set(_areas(cards[receiver])) != {area}
    )


def _area(section: Section) -> str:
    area = section.text("out_of", _AREA)
    if area not in CODES and area != EEA:
        raise section.fault(
            "out_of",
            message(
                "there is no '{area}'; expected {expects}",
                area=area,
                expects=_AREA.expects,
            ),
        )
    if area_of(area) != area:
        raise section.fault(
            "out_of",
            message(
                "{area} is in the European Economic Area; write {eea}",
                area=area,
                eea=EEA,
            ),
        )
    return area


def _areas(card: IdentityCard) -> tuple[str, ...]:
    return () if card.places is None else card.places.areas


def _unstated(missing: Sequence[Crossing], cards: Mapping[str, IdentityCard]) -> str:
    """Say which transfers lack a basis, in the words that would state one."""
    lines = [*_lines(missing, cards)]
    return (
        f"data of people crosses {len(missing)} border{'s' if len(missing) > 1 else ''} without a"
        f" stated basis: {'; '.join(lines)}. State each here, or in the draft with"
        " --transfer FROM:TO:OUT_OF:BASIS:REFERENCE, or grant no output between these parties"
    )


def _lines(missing: Sequence[Crossing], cards: Mapping[str, IdentityCard]) -> Iterator[str]:
    for one in missing:
        bases = ", ".join(bases_of(one.out_of))
        yield (
            f"{{from: {one.sender}, to: {one.receiver}, out_of: {one.out_of}}}"
            f" ({one.receiver}: {cards[one.receiver].places}), basis one of {bases}"
        )
