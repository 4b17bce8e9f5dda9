"""The soak of one listener in its shortest form: `make soak` has 200 sessions and figures."""

import time

from serving import Office, soak, verify


def test_sessions_of_several_counterparts_at_once_all_come_to_their_results(tmp_path):
    office = Office(tmp_path, 2)
    try:
        seen = soak(office, 4, time.monotonic() + 200)
    finally:
        office.close()
    assert seen.lost == []
    assert len(seen.seconds) == 4
    assert verify(office) > 0
