"""What parties have recorded, read from their folders without a command that might change it."""

import json
import sqlite3


def recorded(pair):
    """Return what each party has recorded, read from its store without a command."""
    return {party.name: recorded_at(party) for party in pair}


def recorded_at(party):
    with sqlite3.connect(party.folder / "party.db") as store:
        entries = store.execute("select data from log_entries order by seq")
        kinds = [json.loads(data)["kind"] for (data,) in entries]
        charges = store.execute("select request, what from ledger order by id").fetchall()
        results = store.execute("select count(*) from results").fetchone()[0]
    lists = sorted(path.name for path in (party.folder / "lists").glob("*"))
    return {"kinds": kinds, "charges": charges, "results": results, "lists": lists}


def new_kinds(pair, before):
    """Return what was logged since, and require that nothing else has changed."""
    after, logged = recorded(pair), {}
    for name, one in before.items():
        assert after[name] == {**one, "kinds": after[name]["kinds"]}
        logged[name] = after[name]["kinds"][len(one["kinds"]) :]
    return logged
