"""Parties whose data lies elsewhere than where they were made, and a contract across the border."""

from dataclasses import replace

from organisations import make_contract

from party.organisation import CARD_FILE
from party.places import Places

LABELS = {"advertiser": ["gold", "silver"], "channel": ["1", "2", "3"]}
TRANSFERS = """\
transfers:
  - {from: advertiser, to: channel, out_of: CN, basis: standard-contract, reference: 备案 2026-17}
  - {from: channel, to: advertiser, out_of: EEA, basis: standard-clauses, reference: SCC | module 1}
"""


def move(party, places):
    """Let a party declare that its data lies elsewhere."""
    card = replace(party.own_card(), places=places)
    (party.folder / CARD_FILE).write_text(card.to_yaml(), encoding="utf-8")


def agree_across(folder, parties, transfers=TRANSFERS):
    """Let the advertiser be in China, and return the contract that both have signed and stored."""
    move(parties["advertiser"], Places.of("CN"))
    return make_contract(folder, parties, LABELS, contract_id="far", beside=transfers)
