"""Files in an object store, through fsspec where it is installed.

Each object is copied once into a private file, so that every pass reads the same bytes and the
snapshot is a digest of what was read. Credentials are the driver's own business: the environment
or its configuration, never the description.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePosixPath
from typing import Any, Final

from party.datasets.content import PrivateCopy, copy_privately
from party.datasets.origin import Objects
from party.datasets.table_file import SUFFIXES
from party.errors import DatasetError

_MAGIC: Final = "*?["


def fetch_objects(origin: Objects) -> list[PrivateCopy]:
    """Return private copies of the objects of a URL, in the order of their names.

    Raises `DatasetError` when the driver is missing, there is no such object, one is not a table,
    or the store does not give it.
    """
    store, path = _open_store(origin)
    copies: list[PrivateCopy] = []
    try:
        for found in _find(origin, store, path):
            with _explained(origin), store.open(found, "rb") as stream:
                copies.append(copy_privately(store.unstrip_protocol(found), stream))
    except BaseException:
        for copy in copies:
            copy.close()
        raise
    return copies


def _open_store(origin: Objects) -> tuple[Any, str]:
    try:
        from fsspec.core import url_to_fs
        from fsspec.registry import available_protocols, known_implementations
    except ImportError:
        raise DatasetError(
            f"{origin.url}: reading {origin.scheme}:// needs fsspec and its driver: install "
            "commonground with the extra `objects`, and s3fs, gcsfs or adlfs for the store"
        ) from None
    if origin.scheme not in available_protocols():
        raise DatasetError(
            f"{origin.url}: {origin.scheme}:// is no kind of store that fsspec knows; look at its "
            "spelling, or install the driver that brings it"
        )
    try:
        with _explained(origin):
            store, path = url_to_fs(origin.url)
    except ImportError:
        hint = known_implementations.get(origin.scheme, {}).get("err", "Install it")
        raise DatasetError(f"{origin.url}: the driver is missing. {hint}") from None
    return store, str(path)


def _find(origin: Objects, store: Any, path: str) -> list[str]:  # noqa: ANN401 - fsspec's own
    with _explained(origin):
        if any(character in path for character in _MAGIC):
            entries = store.glob(path, detail=True).values()
            found = sorted(entry["name"] for entry in entries if entry["type"] == "file")
        elif store.isdir(path):
            names = [
                entry["name"] for entry in store.ls(path, detail=True) if entry["type"] == "file"
            ]
            found = sorted(filter(_is_table, names))
        else:
            found = [path] if store.isfile(path) else []
    if not found:
        raise DatasetError(f"{origin.url}: there is no such file; look at the name and the rights")
    for name in found:
        if not _is_table(name):
            raise DatasetError(
                f"{store.unstrip_protocol(name)}: files are {', '.join(SUFFIXES)}; rename it or "
                "narrow the pattern"
            )
    return found


def _is_table(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in SUFFIXES


@contextmanager
def _explained(origin: Objects) -> Iterator[None]:
    """Turn what a driver raises into what went wrong; its own words may hold a signed URL."""
    try:
        yield
    except (DatasetError, ImportError):
        raise
    except PermissionError:
        raise DatasetError(
            f"{origin.url}: the store refuses; look at the credentials in the environment"
        ) from None
    except FileNotFoundError:
        raise DatasetError(f"{origin.url}: there is no such file; look at the name") from None
    except Exception as error:  # noqa: BLE001 - drivers raise errors of their own libraries
        raise DatasetError(
            f"{origin.url}: could not be read to its end ({type(error).__name__}); look at "
            "credentials, network and room for temporary files, then repeat"
        ) from None
