"""Make a signed contract whose match says its uses and platforms, and a request under it.

    python tests/vectors/contract_maker.py FOLDER

The keys are made in a temporary folder and thrown away with it, so nothing can be made twice: what
was signed once stays as it is. Files that exist already are refused.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from party import identity
from party.card import IdentityCard
from party.contract import Contract
from party.contract_draft import draft_contract
from party.contract_file import load_contract, sign_contract_file
from party.contract_terms import DatasetTerms, ListUse
from party.identity import Identity
from party.request import Request
from party.request_parameters import Parameters

STARTS = 1_767_225_600
DAY = 86_400
CONTRACT, REQUEST = "autumn-2026.yaml", "exclude-request.json"
_MATCH = "approval: manual}"
_GRANTED = "approval: manual, uses: [exclude], export_to: [google-customer-match, meta]}"
_PARTIES = {
    "advertiser": ("Example Foods", None),
    "channel": ("Kanal Größe – 渠道", "127.0.0.1:7443"),
}
_DATASETS = {
    "advertiser": {"customers": DatasetTerms(("email", "phone"), 2, {"segment": ("new", "old")})},
    "channel": {"members": DatasetTerms(("email", "phone", "maid"), 3, {"group": ("a", "b")})},
}


def make(folder: Path) -> tuple[Path, Path]:
    """Write both files to a folder and return their paths."""
    contract, request = folder / CONTRACT, folder / REQUEST
    for path in (contract, request):
        if path.exists():
            raise FileExistsError(f"{path} was signed once and stays as it is")
    with TemporaryDirectory() as place:
        parties = {name: _identity(Path(place) / name, name) for name in _PARTIES}
        contract.write_text(_draft(parties), encoding="utf-8")
        for one in parties.values():
            sign_contract_file(contract, one)
        asked = _request(load_contract(contract)).sign(parties["channel"])
    request.write_bytes(asked.encode())
    return contract, request


def _identity(folder: Path, name: str) -> Identity:
    return identity.create(
        folder, name=name, log_origin=f"{name}.example/log", hosts=["localhost"], now=STARTS
    )


def _draft(parties: dict[str, Identity]) -> str:
    cards = {
        name: IdentityCard.of(one, organisation=_PARTIES[name][0], address=_PARTIES[name][1])
        for name, one in parties.items()
    }
    text = draft_contract(
        cards,
        contract_id="autumn-2026",
        title="Autumn campaign 2026",
        starts=STARTS,
        ends=STARTS + 365 * DAY,
        datasets=_DATASETS,
    )
    return text.replace(_MATCH, _GRANTED, 1)


def _request(contract: Contract) -> Request:
    return Request.match(
        contract,
        requester="channel",
        receiver="channel",
        sender="advertiser",
        now=STARTS + DAY,
        use=ListUse.EXCLUDE,
        parameters=Parameters(suppression_runs=30),
    )


if __name__ == "__main__":
    for made in make(Path(sys.argv[1])):
        print(made)
