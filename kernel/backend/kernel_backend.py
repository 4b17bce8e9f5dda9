"""Builds the kernel's wheel with maturin, and takes out what tells of the machine that built it.

maturin lists the crates in the wheel (PEP 770), and names the folder in which they were compiled,
the moment, and a random number. A wheel says what is in it, and is the same wherever it is built
from the same sources by the same compiler.
"""

import hashlib
import json
import re
import uuid
import zipfile
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

from maturin import (  # noqa: F401 - the other hooks of PEP 517 and 660 are maturin's
    build_editable,
    build_sdist,
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)
from maturin import (
    build_wheel as _build_wheel,
)

_LOCAL = re.compile(r"path\+file://[^\s\"]*/kernel(?=/)")
_NAMESPACE = uuid.UUID("b3d0f5a4-8c1e-5b0e-9c55-3d7a2f8e6a10")


def build_wheel(
    wheel_directory: str,
    config_settings: dict[str, Any] | None = None,
    metadata_directory: str | None = None,
) -> str:
    """Build the wheel, and return its file name."""
    name: str = _build_wheel(wheel_directory, config_settings, metadata_directory)
    take_builder_out(Path(wheel_directory) / name)
    return name


def take_builder_out(wheel: Path) -> None:
    """Write a wheel anew whose lists of crates name no folder, no moment and no random number."""
    changed = wheel.with_suffix(".new")
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(changed, "w") as new:
        files = {info.filename: (info, old.read(info)) for info in old.infolist()}
        lists = {name for name in files if "/sboms/" in name and name.endswith(".json")}
        records = {name for name in files if name.endswith(".dist-info/RECORD")}
        for name in lists:
            files[name] = files[name][0], without_builder(files[name][1])
        for name in records:
            again = {one: files[one][1] for one in lists}
            files[name] = files[name][0], _recorded(files[name][1].decode(), again).encode()
        for info, data in files.values():
            new.writestr(info, data, compress_type=zipfile.ZIP_DEFLATED)
    changed.replace(wheel)


def without_builder(document: bytes) -> bytes:
    """Return a list of crates that says the same wherever it was written."""
    told = json.loads(_LOCAL.sub("path+file:///kernel", document.decode()))
    told.get("metadata", {}).pop("timestamp", None)
    told.pop("serialNumber", None)
    text = json.dumps(told, indent=2, ensure_ascii=False)
    # CycloneDX wants a number that is one document's: made of what the document says.
    told = {"serialNumber": f"urn:uuid:{uuid.uuid5(_NAMESPACE, text)}", **told}
    return json.dumps(told, indent=2, ensure_ascii=False).encode() + b"\n"


def _recorded(record: str, changed: dict[str, bytes]) -> str:
    """Return a RECORD with digest and size of the files that were changed."""
    lines = []
    for line in record.splitlines():
        name = line.partition(",")[0]
        if name in changed:
            data = changed[name]
            digest = urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            line = f"{name},sha256={digest},{len(data)}"
        lines.append(line)
    return "\n".join(lines) + "\n"
