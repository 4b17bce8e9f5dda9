"""Where a dataset's rows come from, as its description says: files, objects or a query.

Text is a file, a folder or a pattern, on this machine or (`s3://…`) in an object store. A mapping
is a query, with the database that answers it. A password never stands in a description: it would
be stored and shown with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from languages import message
from party.datasets.rules import PATH, QUERY, URL, VARIABLE
from party.document import Section

_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_DATABASES: Final = ("url", "url_env", "url_file", "duckdb")
_SECRET: Final = re.compile(r"pass|pwd|secret|token|key|credential|sig", re.IGNORECASE)


@dataclass(frozen=True)
class Files:
    """A file, a folder or a glob, relative to the description."""

    pattern: str

    def to_json(self) -> object:
        """Return the value as it was read."""
        return self.pattern


@dataclass(frozen=True)
class Objects:
    """The same in an object store, by URL."""

    url: str

    @property
    def scheme(self) -> str:
        """What stands before `://`; it names the store's kind."""
        return self.url.partition("://")[0].lower()

    def to_json(self) -> object:
        """Return the value as it was read."""
        return self.url


@dataclass(frozen=True)
class DatabaseQuery:
    """A query to a database. Its URL is `text`, or in the variable or file of that name."""

    place: str  # url, url_env or url_file
    text: str
    query: str

    def to_json(self) -> object:
        """Return the section as it was read."""
        return {self.place: self.text, "query": self.query}


@dataclass(frozen=True)
class DuckDBQuery:
    """A query to a DuckDB file, whose path is relative to the description."""

    file: str
    query: str

    def to_json(self) -> object:
        """Return the section as it was read."""
        return {"duckdb": self.file, "query": self.query}


Origin: TypeAlias = Files | Objects | DatabaseQuery | DuckDBQuery


def read_origin(root: Section, key: str) -> Origin:
    """Read the origin of a table at `key`: a text, or a section with a query."""
    if not root.is_mapping(key):
        return _read_place(root, key)
    section = root.section(key, required=("query",), optional=_DATABASES)
    given = [name for name in _DATABASES if name in section]
    if len(given) != 1:
        raise root.fault(
            key,
            message(
                "beside 'query' it has exactly one of {databases}",
                databases=", ".join(_DATABASES),
            ),
        )
    query = section.text("query", QUERY)
    if given == ["duckdb"]:
        return DuckDBQuery(section.text("duckdb", PATH), query)
    rule = {"url": URL, "url_env": VARIABLE, "url_file": PATH}[given[0]]
    if given == ["url_env"] and "://" in section.text("url_env", URL):
        raise section.fault(
            "url_env", message("is the name of a variable, not a URL; the URL stays in it")
        )
    text = section.text(given[0], rule)
    if given == ["url"]:
        _require_no_secret(
            section, "url", text, "put the URL into an environment variable and name it as url_env"
        )
    return DatabaseQuery(given[0], text, query)


def _read_place(root: Section, key: str) -> Files | Objects:
    text = root.text(key, PATH)
    if not _SCHEME.match(text):
        return Files(text)
    _require_no_secret(root, key, text, "the store's driver takes it from the environment")
    return Objects(text)


def _require_no_secret(section: Section, key: str, url: str, instead: str) -> None:
    """Raise unless a URL is without a secret: after a user's name, or as a parameter."""
    try:
        parts = urlsplit(url)
    except ValueError:
        raise section.fault(key, message("is not a URL; write it anew")) from None
    if parts.password is not None or _SECRET.search(parts.query):
        raise section.fault(
            key,
            message(
                "holds a password or another secret; {instead}",
                instead=instead,
            ),
        )
