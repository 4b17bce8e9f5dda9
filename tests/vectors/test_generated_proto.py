"""commonground/v1 is what `make proto` makes of proto/: nothing edited, missing or left over."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

ROOT = Path(__file__).parents[2]
SUFFIXES = ("_pb2.py", "_pb2.pyi", "_pb2_grpc.py")


def generated_in(folder: Path) -> dict[str, str]:
    """Return the generated files of a folder by name."""
    return {
        path.name: path.read_text() for path in folder.iterdir() if path.name.endswith(SUFFIXES)
    }


def test_generated_code_is_what_the_proto_files_give(tmp_path):
    sources = sorted((ROOT / "proto").rglob("*.proto"))
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I", str(ROOT / "proto")]
    outs = [f"--{kind}_out={tmp_path}" for kind in ("python", "pyi", "grpc_python")]
    subprocess.run([*command, *outs, *map(str, sources)], check=True)
    fresh = generated_in(tmp_path / "commonground" / "v1")
    assert len(fresh) == len(SUFFIXES) * len(sources) > 0
    assert generated_in(ROOT / "commonground" / "v1") == fresh


def test_every_field_says_what_is_valid():
    for path in (ROOT / "proto").rglob("*.proto"):
        lines = path.read_text().splitlines()
        for before, line in pairwise(lines):
            is_scalar = line.strip().startswith(
                ("string", "bytes", "bool", "uint", "sint", "repeated")
            )
            assert not is_scalar or before.strip().startswith("//"), f"{path.name}: {line.strip()}"
