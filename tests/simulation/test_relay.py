"""Three parties, two of whom never meet: the same bytes at all of them, whatever breaks."""

import numpy as np
from wired_three import HUB, LISTEN, TABULATES, THIRD, make_request, table_of_three

from party.terms import Terms
from psi.sets import LabelledSet


def require_same_folders(table, request):
    """Check that both ends of every step hold it, and hold it alike, and nobody else does."""
    terms = Terms.of(request)
    folders = {name: table.folder_of(name, request) for name in (HUB, *LISTEN)}
    for index, step in enumerate(terms.table.steps):
        ends = {terms.party_of(step.sender), terms.party_of(step.receiver)}
        held = {name: folder.digest(index) for name, folder in folders.items()}
        assert {name for name, digest in held.items() if digest} == ends
        assert len({held[name] for name in ends}) == 1
        one, other = (folders[name].load(index) for name in ends)
        if isinstance(one, LabelledSet):
            assert one.sizes == other.sizes
            assert np.array_equal(one.elements, other.elements)
        else:
            assert one == other


def require_all_done(table):
    for desk in table.desks.values():
        assert desk.walks[-1].done.wait(10)
        assert not desk.walks[-1].errors


def test_all_three_hold_the_same_bytes_of_every_step(tmp_path):
    with table_of_three(tmp_path) as table:
        request = make_request()
        hub = table.run_hub(request)
        require_all_done(table)
        require_same_folders(table, request)
        assert [m.party for m in hub.heard[:2]] == [THIRD, TABULATES]
        for name, other in ((THIRD, TABULATES), (TABULATES, THIRD)):
            heard = table.desks[name].walks[0].heard
            assert [m.party for m in heard[:2]] == [HUB, other]
            assert len(heard) == len(hub.heard) == 14
