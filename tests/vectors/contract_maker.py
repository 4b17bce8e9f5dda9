"""Make a signed contract and a request under it, such as those in `contract/`.

    python tests/vectors/contract_maker.py autumn|winter FOLDER

`autumn` has a match that says its uses and platforms; `winter` is between three parties, in two
areas of law, and its request counts with a third. The keys are made in a temporary folder and
thrown away with it, so nothing can be made twice: what was signed once stays as it is. Files that
exist already are refused.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from party import identity
from party.card import IdentityCard
from party.contract import Contract
from party.contract_draft import draft_contract
from party.contract_file import load_contract, sign_contract_file
from party.contract_terms import DatasetTerms, ListUse, OutputKind
from party.identity import Identity
from party.places import Places
from party.request import Request
from party.request_parameters import Parameters
from party.transfers import Transfer

STARTS = 1_767_225_600
DAY = 86_400


@dataclass(frozen=True)
class Recipe:
    """What is made: who signs, what they offer, what the draft is edited to, and who asks what."""

    contract: str
    request: str
    title: str
    parties: Mapping[str, tuple[str, str | None, Places | None]]
    datasets: Mapping[str, Mapping[str, DatasetTerms]]
    edits: Mapping[str, str]
    asker: str
    ask: Callable[[Contract], Request]
    transfers: Sequence[str] = field(default=())


def _autumn(contract: Contract) -> Request:
    return Request.match(
        contract,
        requester="channel",
        receiver="channel",
        sender="advertiser",
        now=STARTS + DAY,
        use=ListUse.EXCLUDE,
        parameters=Parameters(suppression_runs=30),
    )


def _winter(contract: Contract) -> Request:
    return Request.crosstab(
        contract,
        OutputKind.CROSS_CHANNEL,
        requester="advertiser",
        tabulator="channel",
        recipient="advertiser",
        third="vendor",
        now=STARTS + DAY,
        labels={"advertiser": "segment", "channel": "frequency", "vendor": "frequency"},
        identifier="email",
    )


RECIPES = {
    "autumn": Recipe(
        contract="autumn-2026.yaml",
        request="exclude-request.json",
        title="Autumn campaign 2026",
        parties={
            "advertiser": ("Example Foods", None, None),
            "channel": ("Kanal Größe – 渠道", "127.0.0.1:7443", None),
        },
        datasets={
            "advertiser": {
                "customers": DatasetTerms(("email", "phone"), 2, {"segment": ("new", "old")})
            },
            "channel": {
                "members": DatasetTerms(("email", "phone", "maid"), 3, {"group": ("a", "b")})
            },
        },
        edits={
            "approval: manual}": "approval: manual, uses: [exclude], "
            "export_to: [google-customer-match, meta]}"
        },
        asker="channel",
        ask=_autumn,
    ),
    "winter": Recipe(
        contract="winter-2026.yaml",
        request="cross-channel-request.json",
        title="Winter campaign 2026",
        parties={
            "advertiser": ("Example Foods", None, Places("FR", ("FR", "DE"))),
            "channel": ("Kanal Größe – 渠道", "127.0.0.1:7443", Places("CN", ("CN",))),
            "vendor": ("Data & Söhne", "127.0.0.1:7444", Places("DE", ("DE",))),
        },
        datasets={
            "advertiser": {
                "customers": DatasetTerms(("email", "phone"), 2, {"segment": ("new", "old")})
            },
            "channel": {"viewers": DatasetTerms(("email",), 1, {"frequency": ("1", "2", "3+")})},
            "vendor": {"listeners": DatasetTerms(("email",), 1, {"frequency": ("1", "2+")})},
        },
        edits={"result_days: 1095\n": "result_days: 1095\nreplay_days: 730\n"},
        asker="advertiser",
        ask=_winter,
        transfers=(
            "advertiser:channel:EEA:standard-clauses:SCC 2026-01",
            "vendor:channel:EEA:standard-clauses:SCC 2026-02",
            "channel:advertiser:CN:standard-contract:备案 2026-7",
            "channel:vendor:CN:standard-contract:备案 2026-8",
        ),
    ),
}


def make(recipe: Recipe, folder: Path) -> tuple[Path, Path]:
    """Write both files to a folder and return their paths."""
    contract, request = folder / recipe.contract, folder / recipe.request
    for path in (contract, request):
        if path.exists():
            raise FileExistsError(f"{path} was signed once and stays as it is")
    with TemporaryDirectory() as place:
        parties = {name: _identity(Path(place) / name, name) for name in recipe.parties}
        contract.write_text(_draft(recipe, parties), encoding="utf-8")
        for one in parties.values():
            sign_contract_file(contract, one)
        asked = recipe.ask(load_contract(contract)).sign(parties[recipe.asker])
    request.write_bytes(asked.encode())
    return contract, request


def _identity(folder: Path, name: str) -> Identity:
    return identity.create(
        folder, name=name, log_origin=f"{name}.example/log", hosts=["localhost"], now=STARTS
    )


def _draft(recipe: Recipe, parties: dict[str, Identity]) -> str:
    cards = {
        name: IdentityCard.of(one, organisation=organisation, address=address, places=places)
        for (name, (organisation, address, places)), one in zip(
            recipe.parties.items(), parties.values(), strict=True
        )
    }
    text = draft_contract(
        cards,
        contract_id=recipe.contract.removesuffix(".yaml"),
        title=recipe.title,
        starts=STARTS,
        ends=STARTS + 365 * DAY,
        datasets=recipe.datasets,
        transfers=[Transfer.parse(one) for one in recipe.transfers],
    )
    for old, new in recipe.edits.items():
        text = text.replace(old, new, 1)
    return text


if __name__ == "__main__":
    for made in make(RECIPES[sys.argv[1]], Path(sys.argv[2])):
        print(made)
