"""An operator in a real browser: approves what a counterpart asks, and proposes a contract.

The channel's console runs beside its `serve`, which carries out what was approved there.
"""

import pytest
from test_two_parties import FEW
from two_processes import wait_until

from audit.roles import Role
from party.contract_file import parse_contract

PATH = "an operator: a request approved and carried out, a contract proposed and signed"
OVERLAP = ("report", "overlap", "--segment", "segment", "--epsilon", "20", *FEW, "--wait")


@pytest.mark.parametrize("script", [True, False], ids=["with JavaScript", "without"])
def test_an_operator_approves_a_request_and_signs_a_contract(consoles, walking, script):
    advertiser, channel = consoles.pair
    asking = advertiser.start(*OVERLAP, "--json")
    request = wait_until(lambda: pending_at(channel), every=0.2)
    name = f"winter-{script}".lower()
    with walking(PATH, script) as walk:
        walk.sign_in(consoles.url(channel), Role.OPERATOR)
        walk.follow(request[:8])
        walk.read("What is granted, and what it costs")
        walk.press("Approve")
        walk.read("Approved. Your approval stands in the log.")
        walk.page.get_by_role("link", name="Open the report").wait_for()

        walk.follow("Contracts")
        walk.follow("Propose a contract")
        walk.choose("With whom", "advertiser")
        walk.type("A short name", name)
        walk.press("Say it in plain words")
        walk.read("This is what the draft would say.")
        walk.press("Keep it as a draft")
        walk.read("The draft is kept here.")
        walk.press("Sign it")
        walk.read("Signed. Send the file to the others")
        file = walk.take(lambda: walk.follow("The file for the others"))
    assert asking.wait().document["id"] == request
    assert channel.read("requests", "show", request)["state"] == "finished"
    assert list(parse_contract(file).signatures) == ["channel"]


def pending_at(party):
    """Return the id of the request that waits for a decision, None where there is none."""
    requests = party.read("requests", "list")["requests"]
    return next((one["id"] for one in requests if one["state"] == "pending"), None)
