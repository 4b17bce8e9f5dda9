"""A console is killed in each phase of a session that it carries; the next one ends the session.

The counterpart serves, over a slow road. Nobody tells the next console what there is to do: it
finds it in the store, and goes on in the name of whoever began.
"""

import json
import urllib.request

from console_staff import start_console
from test_console import trusting
from test_kills import kill, phases, reach_phase, require_gone, require_one_session, watch
from test_kills import slow as slow
from two_processes import wait_until

TOKEN = ("console", "tokens", "add", "nightly", "--role", "analyst")


def call(party, url, token, path, body=None):
    """Call a console's API, which has the party's certificate; return its JSON."""
    asked = urllib.request.Request(f"{url}/api/v1/{path}")
    asked.add_header("Authorization", f"Bearer {token}")
    if body is not None:
        asked.data = json.dumps(body).encode()
        asked.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(asked, timeout=60, context=trusting(party.folder)) as answer:
        return json.load(answer)


def test_a_console_killed_once_in_each_phase_leaves_the_session_to_the_next(slow):
    party, watched = slow.advertiser, watch(slow)
    token = party.read(*TOKEN)["token"]
    console, url = start_console(party)
    request = ask_for_a_list(party, url, token)
    before, workers = {name: {} for name in watched}, []
    for phase in phases("match", "advertiser", watched):
        reach_phase(phase, console)
        workers += kill(slow, "advertiser", console)
        assert not phase.passed(), f"{phase.name} was missed"
        for name, one in watched.items():
            assert before[name].items() <= one.digests().items(), (phase.name, name)
            before[name] = one.digests()
        console, url = start_console(party)
    wait_until(lambda: has_ended(call(party, url, token, f"requests/{request}/now")), every=0.2)
    console.stop()
    require_gone(workers)
    require_one_session(slow, "match", request, watched, before)
    actors = {
        entry["actor"]
        for entry in party.read("audit", "show")["entries"]
        if entry["kind"].startswith("session.")
    }
    assert actors == {"session:nightly~token/analyst"}


def has_ended(now):
    """Say whether a session is finished and cosigned, so that nobody carries it any more."""
    return now["state"] == "finished" and not now["carried_here"]


def ask_for_a_list(party, url, token):
    """Ask for the list that the channel gets of everybody; return the request's id."""
    grants = call(party, url, token, "grants")
    wanted = {"receiver": "channel", "sender": "advertiser"}
    grant = next(one for one in grants if (one["kind"], one["roles"]) == ("match", wanted))
    everybody = dict.fromkeys(wanted.values(), "many/")
    choice = {"contract": grant["contract"], "grant": grant["grant"], "labels": everybody}
    return call(party, url, token, "reports", choice)["id"]
