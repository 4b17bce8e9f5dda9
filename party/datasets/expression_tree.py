"""What an SQL expression may be made of, decided on DuckDB's own tree of it.

An allow-list: node by node, every key of every node is known here and has a value that is known to
be harmless, or the expression is refused. So what a new DuckDB adds to its grammar is refused until
somebody has looked at it. There are no subqueries, no aggregates, no windows, no parameters, no
lambdas; functions are those that depend on nothing but their arguments and whose answer is about as
long as these. The last point is no matter of taste: DuckDB's memory limit does not see texts that
`repeat` makes, and the process would die.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

Node = Mapping[str, Any]

MOST_NODES: Final = 500
MOST_DEPTH: Final = 50

_TEXT: Final = (
    "concat contains ends_with instr left length lower ltrim position prefix regexp_full_match "
    "regexp_matches right rtrim starts_with strlen strpos substr substring suffix trim upper || "
    "~~ !~~ ~~* !~~* like_escape not_like_escape"
)
_NUMBER: Final = "abs ceil ceiling floor greatest if least nullif round sign trunc + - * / // %"
_TIME: Final = (
    "date_diff date_part date_trunc datediff datepart datetrunc day dayofmonth dayofweek dayofyear "
    "hour isodow last_day make_date minute month monthname dayname quarter second strptime "
    "try_strptime week weekday weekofyear year yearweek"
)
FUNCTIONS: Final = frozenset(f"{_TEXT} {_NUMBER} {_TIME}".split())
PATTERNED: Final = frozenset({"regexp_full_match", "regexp_matches", "strptime", "try_strptime"})
"""Functions whose second argument is compiled, and so has to be the same for all rows."""
_TYPES: Final = (
    "BOOLEAN TINYINT SMALLINT INTEGER BIGINT HUGEINT UTINYINT USMALLINT UINTEGER UBIGINT FLOAT "
    "DOUBLE DECIMAL VARCHAR DATE TIME TIMESTAMP"
)
TYPES: Final = frozenset(_TYPES.split())
_LITERALS: Final = frozenset({"NULL_LITERAL", "BOOLEAN", "INTEGER", "NUMERIC", "STRING"})
_ANYWHERE: Final = frozenset({"class", "type", "alias", "query_location", "query_location_length"})
_OPERATORS: Final = frozenset(
    {
        "COMPARE_IN",
        "COMPARE_NOT_IN",
        "OPERATOR_COALESCE",
        "OPERATOR_IS_NOT_NULL",
        "OPERATOR_IS_NULL",
        "OPERATOR_NOT",
        "OPERATOR_TRY",
    }
)
_COMPARISONS: Final = frozenset(
    {
        "COMPARE_DISTINCT_FROM",
        "COMPARE_EQUAL",
        "COMPARE_GREATERTHAN",
        "COMPARE_GREATERTHANOREQUALTO",
        "COMPARE_LESSTHAN",
        "COMPARE_LESSTHANOREQUALTO",
        "COMPARE_NOTEQUAL",
        "COMPARE_NOT_DISTINCT_FROM",
    }
)


class NotAllowed(Exception):  # noqa: N818 - becomes the fault of a description's section
    """Says what of an expression is not allowed, and what is."""


@dataclass(frozen=True)
class Found:
    """What an allowed expression refers to: its columns, each once, and how often in all."""

    columns: tuple[str, ...]
    references: int


def require_allowed(root: Node) -> Found:
    """Walk an expression's tree as `json_serialize_sql` writes it.

    Raises `NotAllowed` for anything that is not on the list, for a tree that is too large or too
    deep, and for one that reads no column.
    """
    columns: list[str] = []
    waiting = [(root, 1)]
    for seen in range(MOST_NODES + 1):
        if not waiting:
            break
        if seen == MOST_NODES:
            raise NotAllowed(f"it has more than {MOST_NODES} parts; make it simpler")
        node, depth = waiting.pop()
        if depth > MOST_DEPTH:
            raise NotAllowed(f"it is nested deeper than {MOST_DEPTH} levels; make it simpler")
        try:
            columns += _columns_of(node)
            waiting += [(child, depth + 1) for child in _children(node)]
        except (KeyError, TypeError, AttributeError):
            raise NotAllowed("this DuckDB writes it in a way that is not known here") from None
    if not columns:
        raise NotAllowed("it reads no column, so it would tell nobody apart")
    return Found(tuple(dict.fromkeys(columns)), len(columns))


def _columns_of(node: Node) -> list[str]:
    if node.get("class") != "COLUMN_REF":
        return []
    names = node.get("column_names")
    if not isinstance(names, list) or len(names) != 1:
        raise NotAllowed("a column is named alone, without a table before it or a field after it")
    return [str(names[0])]


def _children(node: Node) -> Iterator[Node]:
    """Yield what a node is made of, after every key of it was found harmless."""
    kind, form = str(node.get("class")), str(node.get("type"))
    if kind not in _SHAPES:
        raise NotAllowed(f"{_WORDS.get(kind, kind.lower())} is not allowed")
    forms, keys = _SHAPES[kind]
    if form not in forms:
        raise NotAllowed(f"{_WORDS.get(form, form.lower())} is not allowed")
    if set(node) - _ANYWHERE != keys or (node["alias"] and kind != "TYPE"):
        raise NotAllowed(f"this DuckDB writes {kind.lower()} in a way that is not known here")
    if kind == "FUNCTION":
        yield from _arguments(node)
    elif kind == "CASE":
        for check in node["case_checks"]:
            _require(set(check) == {"when_expr", "then_expr"}, "CASE")
            yield from (check["when_expr"], check["then_expr"])
        yield node["else_expr"]
    elif kind == "CAST":
        _require_type(node["type_expr"])
        yield node["child"]
    elif kind == "CONSTANT":
        if node["literal"].get("kind") not in _LITERALS:
            raise NotAllowed("a constant is a text in quotes, a number, true, false or NULL")
    elif kind in ("CONJUNCTION", "OPERATOR"):
        yield from node["children"]
    elif kind != "COLUMN_REF":
        yield from (node[key] for key in sorted(keys))


def _arguments(node: Node) -> Iterator[Node]:
    name = str(node["function_name"])
    if node["catalog"] or node["schema"] or node["qualified_name"] != {"path": [name]}:
        raise NotAllowed("a function is named alone, without a schema before it")
    if name not in FUNCTIONS:
        raise NotAllowed(
            f"the function '{name[:48]}' is not allowed; there are {', '.join(sorted(FUNCTIONS))}"
        )
    plain = not (node["filter"] or node["distinct"] or node["export_state"])
    _require(plain and node["order_bys"] == _UNORDERED and not node["order_bys"]["orders"], name)
    arguments = node["arguments"]
    _require(all(set(one) == {"name", "expression"} and not one["name"] for one in arguments), name)
    children: list[Node] = [one["expression"] for one in arguments]
    if name in PATTERNED and any(child.get("class") != "CONSTANT" for child in children[1:]):
        raise NotAllowed(f"the pattern of {name} is a text in quotes, and not made of columns")
    yield from children


def _require_type(node: Node) -> None:
    name = str(node.get("type_name"))
    sizes = node.get("children", ())
    if (
        name.upper() not in TYPES
        or node.get("catalog")
        or node.get("schema")
        or node.get("qualified_name") != {"path": [name]}
        or any(one.get("class") != "CONSTANT" for one in sizes)
    ):
        raise NotAllowed(f"a cast goes to {', '.join(sorted(TYPES))}; not to '{name[:48]}'")


def _require(harmless: bool, what: str) -> None:
    if not harmless:
        raise NotAllowed(f"{what} has a part that is not allowed, such as DISTINCT or a name")


_UNORDERED: Final = {"type": "ORDER_MODIFIER", "orders": []}
_FUNCTION_KEYS: Final = frozenset(
    {
        "function_name",
        "schema",
        "catalog",
        "qualified_name",
        "filter",
        "order_bys",
        "distinct",
        "is_operator",
        "export_state",
        "arguments",
    }
)
_SHAPES: Final[dict[str, tuple[frozenset[str], frozenset[str]]]] = {
    "BETWEEN": (frozenset({"COMPARE_BETWEEN"}), frozenset({"input", "lower", "upper"})),
    "CASE": (frozenset({"CASE_EXPR"}), frozenset({"case_checks", "else_expr"})),
    "CAST": (frozenset({"OPERATOR_CAST"}), frozenset({"child", "try_cast", "type_expr"})),
    "COLUMN_REF": (frozenset({"COLUMN_REF"}), frozenset({"column_names"})),
    "COMPARISON": (_COMPARISONS, frozenset({"left", "right"})),
    "CONJUNCTION": (frozenset({"CONJUNCTION_AND", "CONJUNCTION_OR"}), frozenset({"children"})),
    "CONSTANT": (frozenset({"VALUE_CONSTANT"}), frozenset({"literal"})),
    "FUNCTION": (frozenset({"FUNCTION"}), _FUNCTION_KEYS),
    "OPERATOR": (_OPERATORS, frozenset({"children"})),
}
_WORDS: Final = {
    "SUBQUERY": "a SELECT inside the expression",
    "WINDOW": "a window (OVER)",
    "PARAMETER": "a parameter (? or $1)",
    "STAR": "* or COLUMNS",
    "COLLATE": "COLLATE",
    "LAMBDA": "a lambda (x -> …)",
    "POSITIONAL_REFERENCE": "a column by its number",
    "DEFAULT": "DEFAULT",
    "ARRAY_EXTRACT": "taking apart with [ ]",
    "ARRAY_SLICE": "taking apart with [ ]",
    "STRUCT_EXTRACT": "taking apart with a point",
}
