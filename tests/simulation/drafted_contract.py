"""A contract of what parties have registered, drafted as a newcomer's is, with room to spend."""

import time
from dataclasses import replace

from party.contract_draft import draft_contract
from party.contract_file import load_contract, sign_contract_file
from party.offered import offered_by
from party.yaml_text import read_yaml, write_yaml

DAY = 86_400


def agree(folder, parties, change=lambda document: None):
    """Draft, widen, sign at every party and keep it there; `change` edits the document first."""
    now = int(time.time())
    text = draft_contract(
        {name: replace(party.own_card(), address=None) for name, party in parties.items()},
        contract_id="test",
        title="Test",
        starts=now - DAY,
        ends=now + DAY,
        datasets={name: offered_by(party) for name, party in parties.items()},
    )
    document = read_yaml(text.encode(), "draft", ValueError)
    document["budgets"] = {name: {"epsilon": "500", "delta": "1e-6"} for name in parties}
    change(document)
    path = folder / "contract.yaml"
    path.write_text(write_yaml(document), encoding="utf-8")
    for party in parties.values():
        sign_contract_file(path, party.identity)
    contract = load_contract(path)
    for party in parties.values():
        party.keep_contract(contract)
    return contract
