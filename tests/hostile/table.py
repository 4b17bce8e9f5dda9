"""Tell every lie to a served party and print what came of it: `make hostile`."""

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE.parent / "simulation"), str(HERE)]

import party.tls  # noqa: E402, F401 - settled before gRPC is loaded

# isort: split
from ambush import OF_A_LISTENER, Ambush  # noqa: E402 - found on the path above
from changes import FORGER  # noqa: E402
from lies import LIES, faults  # noqa: E402
from peer import Attack  # noqa: E402

FORM = "{:45} {:20} {:22} {:8} {:>7} {:>7} {:>7}"


def main():
    """Print a row a lie; return the number of those that were not met as they must be."""
    print(FORM.format("lie", "status", "incident", "charged", "before", "most", "after"), "MB")
    failed = 0
    with (
        tempfile.TemporaryDirectory(prefix="commonground-hostile-") as name,
        Attack(Path(name)) as attack,
    ):
        FORGER.liar = attack.liar
        for lie in LIES:
            failed += not tell(attack, lie)
    failed += tell_of_listeners()
    print(f"{len(LIES) + len(OF_A_LISTENER)} lies, {failed} not met as they must be")
    return failed


def tell_of_listeners():
    """Print a row for each lie of whoever is dialled; both are in this process, so no memory."""
    print("\ntold by whoever is dialled")
    failed = 0
    with tempfile.TemporaryDirectory(prefix="commonground-ambush-") as name:
        ambush = Ambush(Path(name))
        FORGER.liar = ambush.liar
        ambush.honest()
        for lie in OF_A_LISTENER:
            failed += not show(lie, ambush.told(lie))
        ambush.close()
    return failed


def tell(attack, lie):
    with attack.measured() as memory:
        told = attack.told(lie)
    return show(lie, told, (memory[0].before, memory[0].most, memory[0].after))


def show(lie, told, sizes=()):
    """Print a row, with sizes in bytes; say whether the lie was met as it must be."""
    wrong = faults(lie, told)
    row = (lie.name, told.status, " ".join(told.incidents).replace("incident.", "") or "–")
    charged = "before" if told.charges else "no"
    shown = [f"{size / 1e6:.0f}" for size in sizes] or ("–", "–", "–")
    print(
        FORM.format(*row, charged, *shown),
        f"  ← not as it must be: {', '.join(wrong)}" if wrong else "",
        flush=True,
    )
    return not wrong


if __name__ == "__main__":
    sys.exit(1 if main() else 0)
