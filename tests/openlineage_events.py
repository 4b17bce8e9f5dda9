"""`make openlineage SPEC=DIR`: a session's events against the published schemas, and spoilt ones.

It carries a match and a report of two parties to their ends and prints a line an event. Then it
spoils each event in ways that the schemas forbid; one that still passes ends it with an error.
"""

import copy
import json
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parent / "simulation")]

from openlineage_schema import facets_in, problems, registry_of  # noqa: E402
from organisations import Wire, make_pair, run_both  # noqa: E402

from party.contract_terms import OutputKind  # noqa: E402
from party.desk import Desk  # noqa: E402
from party.request import Request  # noqa: E402


def make_events(folder):
    """Carry a match and a report to their ends, and return the files of both parties' events."""
    parties, contract = make_pair(folder)
    now = int(time.time())
    match = Request.match(
        contract, requester="advertiser", receiver="advertiser", sender="channel", now=now
    )
    reach = Request.crosstab(
        contract, OutputKind.REACH, requester="advertiser", recipient="advertiser",
        tabulator="channel", labels={"advertiser": "segment", "channel": "frequency"}, now=now,
    )  # fmt: skip
    for request in (match, reach):
        signed = Desk(parties["advertiser"]).make(request, contract, actor="operator")
        Desk(parties["channel"]).submit("advertiser", signed)
        assert run_both(parties, signed, Wire()) == {"advertiser": None, "channel": None}
    for party in parties.values():
        party.close()
    return sorted(folder.glob("*/lineage/*.json"))


def spoilt(event):
    """Yield copies of an event, each spoilt in one way."""
    for path in (("job",), ("run", "runId"), ("eventTime",), ("inputs", 0, "namespace")):
        one = copy.deepcopy(event)
        place = one
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]
        yield one
    for number, (_, facet) in enumerate(facets_in(event)):
        for name in [name for name in facet if name != "_schemaURL"]:
            one = copy.deepcopy(event)
            list(facets_in(one))[number][1][name] = {"spoilt": [None]}
            yield one


def main(spec=None):
    if spec is None:
        print("make openlineage SPEC=DIR: the folder `spec` of a checkout of OpenLineage")
        return 2
    registry, wrong, missed, tried = registry_of(Path(spec)), 0, 0, 0
    with tempfile.TemporaryDirectory() as folder:
        for path in make_events(Path(folder)):
            event = json.loads(path.read_text(encoding="utf-8"))
            found = list(problems(event, registry))
            wrong += bool(found)
            print(f"{path.parts[-3]}/{path.name}: {len(list(facets_in(event)))} facets,",
                  "; ".join(found) or "valid")  # fmt: skip
            for one in spoilt(event):
                tried += 1
                missed += not list(problems(one, registry))
    print(f"spoilt in {tried} ways: {tried - missed} found, {missed} missed")
    return int(bool(wrong or missed))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
