"""The kernel's wheel, as `make kernel` built it: alone in a clean environment it works."""

import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from kernel_tiers import REQUIRE, TIERS

REPOSITORY = Path(__file__).parents[2]
RAISE = """
import sys
import commonground_kernel as kernel

scalar, point = (bytes.fromhex(word) for word in sys.argv[1:3])
for tier in kernel.tiers():
    image = bytearray(32)
    assert kernel.Engine(tier).raise_points(point, scalar, image) == 0
    print(tier, image.hex(), kernel.__version__)
"""
SCALAR = "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4"
POINT = "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c"
IMAGE = "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"


@pytest.fixture(scope="module")
def wheel():
    wheels = list((REPOSITORY / "build/kernel").glob("*.whl"))
    if len(wheels) != 1:
        refuse = pytest.fail if os.environ.get(REQUIRE) == "1" else pytest.skip
        refuse("THE KERNEL'S WHEEL IS NOT TESTED: none was built here; make kernel")
    return wheels[0]


def test_the_wheel_serves_every_later_python_and_is_typed(wheel):
    assert "-cp311-abi3-" in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    assert {"commonground_kernel/__init__.pyi", "commonground_kernel/py.typed"} <= set(names)
    code = [name for name in names if name.startswith("commonground_kernel/")]
    assert len([name for name in code if name.endswith(".so")]) == 1


def test_what_the_wheel_lists_tells_nothing_of_who_built_it(wheel):
    """And RECORD has every file as it is: an installer checks it."""
    with zipfile.ZipFile(wheel) as opened:
        files = {name: opened.read(name) for name in opened.namelist()}
    [record] = [name for name in files if name.endswith(".dist-info/RECORD")]
    for line in files[record].decode().splitlines():
        name, digest, size = line.split(",")
        if name != record:
            found = urlsafe_b64encode(sha256(files[name]).digest()).rstrip(b"=").decode()
            assert (digest, size) == (f"sha256={found}", str(len(files[name])))
    [listed] = [data for name, data in files.items() if "/sboms/" in name]
    document = json.loads(listed)
    assert {"commonground-kernel-core", "sha2"} <= {one["name"] for one in document["components"]}
    assert str(REPOSITORY).encode() not in listed
    assert "timestamp" not in document["metadata"]
    local = set(re.findall(rb"path\+file://([^#\" ]*)", listed))
    assert local == {b"/kernel/core", b"/kernel/python"}


def test_in_a_clean_environment_each_tier_gives_the_answer_of_rfc_7748(wheel, tmp_path):
    venv.create(tmp_path / "clean", with_pip=False)
    python = tmp_path / "clean/bin/python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-index",
         "--disable-pip-version-check", wheel],
        check=True,
    )  # fmt: skip
    run = subprocess.run(
        [python, "-I", "-c", RAISE, SCALAR, POINT], capture_output=True, text=True, check=True
    )
    found = [line.split() for line in run.stdout.splitlines()]
    assert [image for _, image, _ in found] == [IMAGE] * len(found)
    assert [tier for tier, _, _ in found] == [name for name in TIERS if name in run.stdout]
    assert found[-1][0] == "portable"
