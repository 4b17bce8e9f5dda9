"""Audit every kind of report at length and print what was found: `make dp-audit RUNS=40000`."""

import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parents[1]), str(HERE.parent), str(HERE)]

import dp_passed_on  # noqa: E402 - found on the path above
import dp_record  # noqa: E402 - found on the path above
import dp_three  # noqa: E402 - found on the path above
import dp_top_bound  # noqa: E402 - found on the path above
import dp_totals  # noqa: E402 - found on the path above
from dp_kinds import AUDITED, VIEWS, examine  # noqa: E402

_LINE = "{:22} {:11} {:17} {:>7} {:>8} {:>10}  {}"


class Findings:
    """Prints a line for each audit and remembers what went wrong."""

    def __init__(self):
        self.wrong = 0
        head = ("report", "against", "sees", "δ", "ε claimed", "ε shown", "mutants, by ε shown")
        print(_LINE.format(*head))

    def add(self, name, against, sees, promised, found, mutants):
        """Take in an audit of the product, and those of its mutants by name."""
        epsilon, delta = promised
        told = ", ".join(
            f"{mutant} {one.epsilon_shown:.2f}{'' if one.convicted else ' NOT CAUGHT'}"
            for mutant, one in mutants.items()
        )
        shown = f"{max(found.epsilon_shown, 0):.2f}{' BROKEN' if found.convicted else ''}"
        print(_LINE.format(name, against, sees, f"{delta:g}", epsilon, shown, told), flush=True)
        self.wrong += found.convicted + sum(not one.convicted for one in mutants.values())


def main(runs):
    """Print the table; return the number of broken promises and of mutants not caught."""
    print(
        f"{runs} runs of each input. ε shown is a lower bound at a confidence of 1 − 1e-6: at most "
        "what is claimed,\nand for a mutant more than that.\n"
    )
    findings = Findings()
    for row in AUDITED:
        for view in VIEWS:
            shows = () if row.hides(view) else view.mutants
            mutants = {mutant: examine(row, view, runs, mutant) for mutant in shows}
            promised = view.epsilon, view.delta
            product = examine(row, view, runs)
            findings.add(row.name, view.against, view.what, promised, product, mutants)
    for view in dp_three.VIEWS:
        mutants = {mutant: dp_three.examine(view, runs, mutant) for mutant in view.mutants}
        promised, product = (view.epsilon, view.delta), dp_three.examine(view, runs)
        findings.add(f"three: {view.whose}", view.pooled, view.what, promised, product, mutants)
    for kind in dp_passed_on.OF_THREE:
        report, promised = dp_passed_on.OfThree.of(kind), (dp_three.EPSILON, dp_three.DELTA)
        mutants = {"τ subtracted": report.examine(runs, private=True)}
        name = f"{kind} of three"
        findings.add(name, "T+V", "report passed on", promised, report.examine(runs), mutants)
    with tempfile.TemporaryDirectory(prefix="commonground-audit-") as name:
        _add_record(findings, Path(name), runs)
    mutants = {mutant: dp_top_bound.examine(runs, mutant) for mutant in dp_top_bound.MUTANTS}
    product = dp_top_bound.examine(runs)
    promised = dp_top_bound.EPSILON, 0
    findings.add("top bound", "anybody", "bound, people above", promised, product, mutants)
    print(f"\n{findings.wrong} broken promises and mutants not caught")
    return findings.wrong


def _add_record(findings, folder, runs):
    for part in ("record", "order", "late", "totals"):
        (folder / part).mkdir()
    tabulator = dp_record.Tabulator(folder / "record")
    mutants = {mutant: tabulator.examine(runs, mutant) for mutant in dp_record.MUTANTS}
    promised = tabulator.epsilon, 0
    product = tabulator.examine(runs)
    findings.add("session record", "recipient", "cell, resumed", promised, product, mutants)
    three = dp_totals.TabulatorOfThree(folder / "totals")
    mutants = {mutant: three.examine(runs, mutant) for mutant in dp_totals.MUTANTS}
    findings.add("three: third", "R", "total", (three.epsilon, 0), three.examine(runs), mutants)
    three.close()
    _, _, product = dp_record.examine_order(folder / "order", tabulator, runs, late=False)
    _, _, mutant = dp_record.examine_order(folder / "late", tabulator, runs, late=True)
    mutants = {"spend after draw": mutant}
    findings.add("session, no budget", "recipient", "anything", (0, 0), product, mutants)
    tabulator.close()


if __name__ == "__main__":
    sys.exit(1 if main(int(sys.argv[1])) else 0)
