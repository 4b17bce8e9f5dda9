"""The notebook runs from its first cell to its last, and says what the committed one says."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[2] / "examples" / "quickstart.ipynb"
PATHS = re.compile(r"/(?:tmp|home|root|work|var|Users|private)/|[A-Z]:\\\\")


@pytest.fixture(scope="module")
def committed():
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.fixture(scope="module")
def executed(committed):
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    for cell in code(notebook):
        cell.outputs, cell.execution_count = [], None
    where = {"metadata": {"path": str(NOTEBOOK.parent)}}
    client = NotebookClient(notebook, timeout=200, kernel_name="python3", resources=where)
    return client.execute()


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(cell):
    return [one.get("text") or one["data"]["text/plain"] for one in cell.outputs]


def without_numbers(text):
    """Return a text in which whatever noise, a clock or a key decides is left out."""
    return re.sub(r"[0-9a-f]{8,}|[-\d.,:]+|[▇─━]+|\s+", " ", text).split()


def test_every_cell_was_run_in_order_and_the_notebook_is_valid(committed):
    nbformat.validate(committed)
    cells = code(committed)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))


def test_no_output_names_a_place_on_a_machine_or_an_error(committed):
    for cell in code(committed):
        assert all(one.output_type in ("stream", "execute_result") for one in cell.outputs)
        assert all(one.get("name", "stdout") == "stdout" for one in cell.outputs)
        assert not PATHS.search(str(cell.outputs))


def test_the_committed_outputs_are_those_of_the_same_cells(committed, executed):
    for before, after in zip(code(committed), code(executed), strict=True):
        assert [len(texts(cell)) for cell in (before, after)] == [len(texts(before))] * 2
        for one, other in zip(texts(before), texts(after), strict=True):
            assert without_numbers(one) == without_numbers(other), before.source


def test_the_list_is_exact_and_the_report_near_the_truth(executed):
    said = {cell.source: texts(cell) for cell in code(executed)}
    [compared] = [out for source, out in said.items() if "both =" in source]
    assert compared == ["True"]
    [table] = [out[0] for source, out in said.items() if "chart" in source]
    cells = [line.split() for line in table.splitlines()[1:]]
    assert len(cells) == 9
    # ε 1 on one identifier a person: a cell is 30 people off once in 10^9 times
    assert all(abs(float(cell[3]) - float(cell[5])) <= 30 for cell in cells)
