"""The wheel: it holds what the program needs, nothing else, and runs outside the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
PACKAGES = (
    "commonground", "languages", "psi", "privacy", "reports", "audit", "party", "server", "client",
)  # fmt: skip
QUIET = ("--quiet", "--disable-pip-version-check", "--no-deps")


def pip(*words):
    subprocess.run([sys.executable, "-m", "pip", *words], check=True, cwd=REPOSITORY)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("dist")
    pip("wheel", *QUIET, "--no-build-isolation", "-w", folder, REPOSITORY)
    return next(folder.glob("commonground-*.whl"))


def test_the_wheel_holds_every_package_and_no_test(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    folders = {name.split("/")[0] for name in names}
    assert folders == {*PACKAGES, next(name for name in folders if name.endswith(".dist-info"))}
    for package in PACKAGES:
        assert f"{package}/py.typed" in names
    assert {"client/page/page.css", "client/page/page.html.jinja"} <= names
    assert "languages/zh/report.po" in names
    sources = {
        str(path.relative_to(REPOSITORY))
        for package in PACKAGES
        for path in (REPOSITORY / package).rglob("*.py")
    }
    assert sources <= names, "among them the migrations and what is generated from proto/"
    assert not {name for name in names if "__pycache__" in name}


def test_the_installed_wheel_makes_a_party_outside_the_checkout(wheel, tmp_path):
    """Its migrations and its generated code are found where it was installed."""
    pip("install", *QUIET, "--no-compile", "--target", tmp_path / "installed", wheel)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}

    def run(*words):
        return subprocess.run(
            [sys.executable, "-P", *words],
            cwd=tmp_path, env=environment, check=True, capture_output=True, text=True,
        ).stdout  # fmt: skip

    where = run("-c", "import party, commonground.v1.session_pb2 as pb; print(party.__file__)")
    assert where.startswith(str(tmp_path / "installed"))
    program = ("-m", "commonground")
    assert run(*program, "--version").startswith("commonground ")
    words = (
        "init",
        "a",
        "--jurisdiction",
        "NL",
        "--name",
        "a",
        "--organisation",
        "A",
        "--origin",
        "a.test/a",
    )
    run(*program, *words)
    assert "1 entries" in run(*program, "status", "--party", "a")
