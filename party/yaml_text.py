"""YAML as people write contracts and cards in it: a small, strict part of YAML 1.2.

Mappings, lists, text, whole numbers, true/false and null. Refused: a key that stands twice,
anchors and aliases (a few lines can expand to gigabytes), tags (they make objects), more than
one document, deep nesting, large files. Dates and words such as `yes` and `no` stay text. A
decimal number is read as one only so that the reader can ask for quotes: what is signed must
not depend on how a machine rounds.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import yaml

from languages import message

MOST_BYTES = 1 << 20
"""The largest file that is read."""
_MOST_DEPTH = 8

_PLAIN = {
    "tag:yaml.org,2002:bool": (r"true|false", "tf"),
    "tag:yaml.org,2002:null": (r"null|~|", ["n", "~", ""]),
    "tag:yaml.org,2002:int": (r"-?(?:0|[1-9][0-9]{0,17})", "-0123456789"),
    "tag:yaml.org,2002:float": (
        r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]{1,3})?",
        "-+.0123456789",
    ),
}


class _Refused(Exception):  # noqa: N818 - never leaves this module
    """Carries our own message out of PyYAML's callbacks."""


class _StrictLoader(yaml.SafeLoader):
    """PyYAML's safe loader without aliases, tags, repeated keys and surprising types."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own class attribute
    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:  # noqa: ANN401 - PyYAML's signature
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            raise _Refused(
                message(
                    "line {line}: anchors and aliases (& and *) are not read; repeat it",
                    line=line,
                )
            )
        if event.tag is not None:
            raise _Refused(
                message(
                    "line {line}: tags (!) are not read; remove it",
                    line=line,
                )
            )
        if self._depth >= _MOST_DEPTH:
            raise _Refused(
                message(
                    "line {line}: nested deeper than {most_depth} levels",
                    line=line,
                    most_depth=_MOST_DEPTH,
                )
            )
        self._depth += 1
        node: yaml.Node | None = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                raise _Refused(
                    message(
                        "line {line}: a key must be text",
                        line=line,
                    )
                )
            if key.value in seen:
                raise _Refused(
                    message(
                        "line {line}: the key '{value}' stands twice; keep one",
                        line=line,
                        value=key.value[:48],
                    )
                )
            seen.add(key.value)
        return super().construct_mapping(node, deep)


class _StrictDumper(yaml.SafeDumper):
    """Writes what `_StrictLoader` reads back as the same values."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own class attribute

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ANN401 - PyYAML's signature
        del data
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_StrictDumper.add_representer(str, _represent_text)
for _tag, (_pattern, _first) in _PLAIN.items():
    for _reader in (_StrictLoader, _StrictDumper):
        _reader.add_implicit_resolver(_tag, re.compile(f"(?:{_pattern})\\Z"), list(_first))


def read_yaml(data: bytes, what: str, fail: Callable[[str], Exception]) -> object:
    """Return the one document in `data`, or raise what `fail` makes of the fault.

    `what` names the text in messages ("contract summer.yaml").
    """
    if len(data) > MOST_BYTES:
        raise fail(
            message(
                "{what} has more than {most_bytes} bytes, and is not read",
                what=what,
                most_bytes=MOST_BYTES,
            )
        )
    try:
        return yaml.load(data.decode("utf-8"), Loader=_StrictLoader)  # noqa: S506 - a SafeLoader
    except UnicodeDecodeError as error:
        raise fail(
            message(
                "{what} is not UTF-8 at byte {start}; save it as UTF-8",
                what=what,
                start=error.start,
            )
        ) from None
    except _Refused as error:
        raise fail(message("{what}, {error}", what=what, error=error)) from None
    except yaml.YAMLError as error:
        raise fail(
            message(
                "{what} is not valid YAML: {error}",
                what=what,
                error=_brief(error),
            )
        ) from None


def write_yaml(value: Mapping[str, object]) -> str:
    """Return `value` (mappings, lists, text, integers, booleans) as YAML that people read."""
    dumper = _StrictDumper(io.StringIO(), default_flow_style=None, sort_keys=False)
    root: yaml.MappingNode = dumper.represent_data(dict(value))  # type: ignore[assignment]
    root.flow_style = False
    written = yaml.serialize(root, Dumper=_StrictDumper, allow_unicode=True, width=1 << 20)
    return str(written)


def without_key(text: str, key: str) -> str:
    """Return the YAML `text` with its top-level `key` and that key's value cut out.

    Everything else, comments included, stays as it is. `text` has been read successfully.
    """
    root = yaml.compose(text, Loader=_StrictLoader)
    if not isinstance(root, yaml.MappingNode):
        return text
    for name, value in root.value:
        if name.value == key:
            end = text.find("\n", _last_index(value) - 1)
            return text[: name.start_mark.index] + (text[end + 1 :] if end >= 0 else "")
    return text


def _last_index(node: yaml.Node) -> int:
    """Return where `node` ends; a block's own mark lies after the comments that follow it."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style and node.value:
        last = node.value[-1]
        return _last_index(last[1] if isinstance(last, tuple) else last)
    return int(node.end_mark.index)


def _brief(error: yaml.YAMLError) -> str:
    if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        return f"line {error.problem_mark.line + 1}: {error.problem}"
    return str(error).splitlines()[0]
