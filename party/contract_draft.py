"""A contract to begin with: valid as it is, and explained line by line for a newcomer.

The draft grants the usual outputs and names example datasets; its authors change or remove what
they do not mean. It is signed by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from languages import message
from party.card import IdentityCard
from party.contract import FORMAT
from party.contract_file import parse_contract
from party.contract_terms import DatasetTerms, OutputKind, write_time
from party.errors import ContractError
from party.moment_terms import MOMENTS, MomentTerms
from party.transfers import TRANSFERS, Transfer
from party.yaml_text import write_yaml
from psi.identifiers import VERSION
from psi.legs import RECIPIENT, TABULATOR, THIRD

_HEADING: Final = """\
# A contract between the parties below. Read it, edit it, and let every party sign the same text:
# whatever is signed counts, comments apart. Nothing that is not granted here can be asked for.
"""

_PARTS: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    ("The format of this file; a short name for the contract; and what it is for.",
     ("contract", "id", "title")),
    ("Who. Each entry is copied from that party's public.yaml. Compare the fingerprints by\n"
     "telephone before you sign. A party without an address only dials. jurisdiction is the\n"
     "country under whose law it is established, storage those in which its data lies.",
     ("parties",)),
    ("How identifiers are normalised. Turn gmail on only if both sides treat the dots and the\n"
     "+tag of Gmail addresses as meaningless.",
     ("profile",)),
    ("Types of identifiers, in order. Where one identifier a person is sent, it is the first of\n"
     "these that the person has: put first what both sides hold most.\n"
     "Types: email, phone, maid, oaid, imei, mac, openid:…, cookie:…, member:…",
     ("identifiers",)),
    ("What each party offers: its datasets, the identifier types in them, the most identifiers\n"
     "that one person has, and the labels that may be counted, with all of their values.",
     ("datasets",)),
    ("What may be made, and for whom.\n"
     "match: the receiver learns which of its own people the sender has too.\n"
     "reach, overlap, insights, funnel, attribution, delay, lift, table: the recipient gets a\n"
     "table of noisy counts, which the tabulator counts: how often people were met, how many are\n"
     "shared, what they are like, how they go from stage to stage, what had reached them before\n"
     "they converted and how long before, what a treatment has changed, or any label of one side\n"
     "against any of the other.\n"
     "purpose: the purpose that people have consented to. approval: 'rule' lets granted requests\n"
     "run, 'manual' asks a person each time. Remove what you do not grant.\n"
     "A match may say besides what its list is for, uses: [include, exclude] (both, without it),\n"
     "and where the receiver may take it, export_to: [google-customer-match, meta, tiktok, uid2]\n"
     "(nowhere, without it).\n"
     "Attribution and delay say besides how far a request may go, moments: how many conversions\n"
     "of one person may count; how many keys the tabulator may have to send for each of them and\n"
     "each identifier, which is its work and memory; and for how many days a touch may count.\n"
     "Without it these are 4, 64 and 30.",
     ("outputs",)),
    ("The most privacy loss that each party's people bear in one window, over everything that\n"
     "runs; how it adds up (basic or zcdp); and the window in days.",
     ("budgets", "filter", "window_days")),
    ("A match smaller than min_match people makes no list. A count below min_cell is not shown.",
     ("min_match", "min_cell")),
    ("A list is deleted after list_expiry_days, everything else of a session after\n"
     "retention_days, and numbers and tables after result_days (never, without it). Write\n"
     "replay_days to keep, for so many days instead of retention_days, what an auditor at either\n"
     "party needs to repeat a session and hold it against the log. A consent snapshot older than\n"
     "consent_max_age_hours starts nothing.",
     ("list_expiry_days", "retention_days", "result_days", "consent_max_age_hours")),
    ("When the contract holds, in UTC.", ("starts", "ends")),
    ("What leaves a country, and on which basis in the law of that country; nothing else may.\n"
     "until, such as 2027-01-31T00:00:00Z, may say when that lapses.",
     (TRANSFERS,)),
)  # fmt: skip


@dataclass(frozen=True)
class Wishes:
    """What a draft grants, and within which limits; the rest is for its text.

    `kinds` are the outputs, `by_hand` those of them that ask a person each time. ε and δ are exact
    decimal text, of each party's people in a window of `window_days`.
    """

    kinds: frozenset[OutputKind] = frozenset(OutputKind)
    by_hand: frozenset[OutputKind] = frozenset({OutputKind.MATCH})
    epsilon: str = "10"
    delta: str = "1e-6"
    window_days: int = 30
    min_match: int = 1000
    min_cell: int = 10
    list_expiry_days: int = 30


USUAL: Final = Wishes()


def draft_contract(
    parties: Mapping[str, IdentityCard],
    *,
    contract_id: str,
    title: str,
    starts: int,
    ends: int,
    datasets: Mapping[str, Mapping[str, DatasetTerms]] | None = None,
    transfers: Sequence[Transfer] = (),
    wishes: Wishes = USUAL,
) -> str:
    """Return the YAML of a draft between two parties, or three.

    `parties` maps the name that each has in the contract to its card; the first is drafted as the
    sender of matches and the recipient of tables, the second as their counterpart, and the third
    adds its labels to tables. `starts` and `ends` are Unix seconds. A party without `datasets` gets
    an example to edit. `transfers` states what data crosses borders on, which the places on the
    cards make necessary. It grants, of the usual outputs, what is in `wishes`.

    Raises:
        ContractError: a value does not serve, or a transfer is not stated.
    """
    if not 2 <= len(parties) <= 3:
        raise ContractError(
            message(
                "A draft is between two parties or three; {number} were given.",
                number=len(parties),
            )
        )
    first, *others = parties
    if len(others) > 1:
        for name in others:
            require_address(parties[name])
    known = datasets or {}
    offered = {party: known.get(party) or {"people": _EXAMPLE} for party in parties}
    document: dict[str, object] = {
        "contract": FORMAT,
        "id": contract_id,
        "title": title,
        "parties": {name: card.to_json() for name, card in parties.items()},
        "profile": {"version": VERSION, "gmail": False},
        "identifiers": _types_of(offered),
        "datasets": {
            party: {name: terms.to_json() for name, terms in own.items()}
            for party, own in offered.items()
        },
        "outputs": _wished(_usual_outputs(first, *others), wishes),
        "budgets": {party: {"epsilon": wishes.epsilon, "delta": wishes.delta} for party in parties},
        "filter": "basic",
        "window_days": wishes.window_days,
        "min_match": wishes.min_match,
        "min_cell": wishes.min_cell,
        "list_expiry_days": wishes.list_expiry_days,
        "retention_days": 90,
        "result_days": 1095,
        "consent_max_age_hours": 24,
        "starts": write_time(starts),
        "ends": write_time(ends),
    }
    if transfers:
        document[TRANSFERS] = [transfer.to_json() for transfer in transfers]
    silent = [party for party in parties if not known.get(party)]
    text = _HEADING + "".join(
        f"\n{_comment(words + _of_three(others, keys) + _missing(silent, keys))}"
        f"{write_yaml({key: document[key] for key in keys})}"
        for words, keys in _PARTS
        if all(key in document for key in keys)
    )
    parse_contract(text.encode(), source=message("the draft"))
    return text


def require_address(card: IdentityCard) -> None:
    """Raise ContractError unless a party can be dialled, as a table of three needs it."""
    if card.address is None:
        name = card.parsed_certificate.party_name
        raise ContractError(
            message(
                "In a table of three parties the recipient connects to the "
                "others, and the card of {name} has no address: {name} makes its "
                "party with --listen, and sends its new card.",
                name=name,
            )
        )


def _of_three(others: Sequence[str], keys: Sequence[str]) -> str:
    """Say what a third party is to a table, where there is one."""
    if "outputs" not in keys or len(others) < 2:
        return ""
    third = others[1]
    return (
        f"\nA table with a third: the labels of {third} are an axis of it too, and whom\n"
        f"{third} lacks is counted as such. Its recipient asks and connects the others, one type\n"
        "of identifiers takes part, and people must have consented towards both others.\n"
        "cross-channel: how many people were met by the tabulator, by the third, and by both,\n"
        "without double counting."
    )


def _missing(silent: Sequence[str], keys: Sequence[str]) -> str:
    """Say whose datasets are not known here, and what to do about it."""
    if "datasets" not in keys or not silent:
        return ""
    return "".join(
        f"\nTO FILL IN: what {party} offers is not known here. 'people' below is an example, to\n"
        f"be replaced. At {party}, `commonground contract propose` writes its registered datasets\n"
        "in this form, and `commonground invite --offer DATASET` states them to whoever joins."
        for party in silent
    )


_EXAMPLE: Final = DatasetTerms(
    identifiers=("email", "phone"), most_identifiers=2, labels={"group": ("one", "two")}
)


def _types_of(datasets: Mapping[str, Mapping[str, DatasetTerms]]) -> list[str]:
    return list(
        dict.fromkeys(
            kind
            for own in datasets.values()
            for terms in own.values()
            for kind in terms.identifiers
        )
    )


def _wished(outputs: list[dict[str, object]], wishes: Wishes) -> list[dict[str, object]]:
    """Return the outputs that are wished for, each approved as it is wished."""
    by_hand = {kind.value for kind in wishes.by_hand}
    return [
        {**one, "approval": "manual" if one["kind"] in by_hand else "rule"}
        for one in outputs
        if one["kind"] in wishes.kinds
    ]


def _usual_outputs(first: str, second: str, third: str | None = None) -> list[dict[str, object]]:
    roles = {"recipient": first, "tabulator": second}
    terms = {"purpose": "dpv:MarketResearch", "approval": "rule"}
    match: dict[str, object] = {
        "kind": "match",
        "receiver": second,
        "sender": first,
        "purpose": "dpv:TargetedAdvertising",
        "approval": "manual",
    }
    tables = [kind for kind in OutputKind if kind.roles == (TABULATOR, RECIPIENT)]
    of_two: list[dict[str, object]] = [
        {"kind": str(kind), **roles, **terms, **_moments(kind)} for kind in tables
    ]
    if third is None:
        return [match, *of_two]
    with_third = [kind for kind in OutputKind if THIRD in (*kind.roles, *kind.optional_roles)]
    of_three: list[dict[str, object]] = [
        {"kind": str(kind), **roles, THIRD: third, **terms} for kind in with_third
    ]
    return [match, *of_two, *of_three]


def _moments(kind: OutputKind) -> dict[str, object]:
    return {MOMENTS: MomentTerms().to_json()} if kind.is_timed else {}


def _comment(words: str) -> str:
    return "".join(f"# {line}\n" for line in words.split("\n"))
