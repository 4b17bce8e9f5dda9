"""Two parties of a request of three that do not meet, each with its end of their parcels."""

from dataclasses import replace
from functools import cache

from two_parties import NOW, THREE, contract_of_three, party_called, signed

from party.contract_terms import OutputKind
from party.parcels.order import ParcelOrder
from party.parcels.seal import Seal
from party.request import Request
from party.terms import Terms
from party.turns import Turns
from psi.seed import Seed

TABULATES, THIRD = THREE["tabulator"], THREE["third"]


@cache
def contract():
    return signed(contract_of_three(OutputKind.REACH))


@cache
def request_of_three(copy=0):
    """Return a request; `copy` tells sessions apart."""
    asked = Request.crosstab(
        contract(),
        OutputKind.REACH,
        requester=THREE["recipient"],
        now=NOW,
        labels={TABULATES: "region", THREE["recipient"]: "segment", THIRD: "income"},
        datasets={TABULATES: "receipts"},
        identifier="email",
        **THREE,
    )
    return replace(asked, id=f"{copy:032x}")


def seal_of(own, peer, *, request=None, seed=None, signs_as=None):
    """Return one end; `signs_as` is another party whose key signs in its place."""
    return Seal(
        request or request_of_three(),
        own,
        peer,
        party_called(signs_as or own).sign,
        lambda: contract().parties[peer].verifier,
        lambda: Seed(seed or own.encode().ljust(32, b"\0")),
    )


def order_of(own, peer):
    """Return the parcels of the pair as `own` sees them."""
    return ParcelOrder(Turns.of(Terms.of(request_of_three()), own, peer))


def pair():
    """Return both ends, the third's first."""
    return seal_of(THIRD, TABULATES), seal_of(TABULATES, THIRD)
