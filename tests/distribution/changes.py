"""Reads what a statement changes from its text, and finds what a distributed table refuses there.

- UPDATE and DELETE call no volatile function, and UPDATE does not write organization_id.
- DO UPDATE calls immutable functions only, and has no subquery.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import asyncpg

_TOKEN = re.compile(
    r"""--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'|(?P<token>"[^"]+"|[A-Za-z_]\w*|\$\d+|[^\s\w])""",
    re.DOTALL,
)
# They are written without parentheses, and depend on the time.
_CLOCK = frozenset({"current_date", "current_time", "current_timestamp", "localtimestamp"})

_VOLATILITY = """
    SELECT DISTINCT proname::text AS name, provolatile::text AS volatility FROM pg_proc
    WHERE provolatile <> 'i'
"""


@dataclass(frozen=True, slots=True)
class Functions:
    """Names of functions of which a form is volatile, or not immutable."""

    volatile: Collection[str]
    not_immutable: Collection[str]


async def read_functions(connection: asyncpg.Connection) -> Functions:
    """Reads which functions PostgreSQL has."""
    rows = await connection.fetch(_VOLATILITY)
    return Functions(
        volatile={row["name"] for row in rows if row["volatility"] == "v"},
        not_immutable={row["name"] for row in rows} | _CLOCK,
    )


@dataclass(frozen=True, slots=True)
class Change:
    """A part of a statement that changes rows.

    `kind` is UPDATE, DELETE or DO UPDATE. Of DO UPDATE, `table` is empty. `columns` are those that
    it writes, `calls` the functions that it names.
    """

    kind: str
    table: str
    columns: Collection[str]
    calls: Collection[str]
    has_subquery: bool


def changes(statement: str) -> list[Change]:
    """Returns the parts of a statement that change rows, except for what is inserted."""
    found: list[Change] = []
    tokens = [
        match["token"].strip('"').lower() for match in _TOKEN.finditer(statement) if match["token"]
    ]
    for index, token in enumerate(tokens):
        before = tokens[index - 1] if index else ""
        if token == "update" and before == "do":
            found.append(_change("DO UPDATE", list(_part(tokens[index:], {"returning"})), ""))
        elif token == "update" and before not in {"for", "key"}:
            part = list(_part(tokens[index:]))
            found.append(_change("UPDATE", part, part[1]))
        elif token == "delete" and before != "on":
            part = list(_part(tokens[index:]))
            found.append(_change("DELETE", part, part[2]))
    return found


def refused(change: Change, functions: Functions) -> list[str]:
    """Says what a distributed table refuses in a change, each as the end of a sentence."""
    forbidden, why = (
        (functions.not_immutable, "is not immutable")
        if change.kind == "DO UPDATE"
        else (functions.volatile, "is volatile")
    )
    found = [
        f"calls {name}, which {why}, in {change.kind}"
        for name in sorted(set(change.calls) & set(forbidden))
    ]
    if change.kind == "DO UPDATE" and change.has_subquery:
        found.append("has a subquery in DO UPDATE")
    if "organization_id" in change.columns:
        found.append("writes organization_id")
    return found


def _part(tokens: Sequence[str], ends: Collection[str] = frozenset()) -> Iterator[str]:
    """The tokens up to the end of the parentheses around them, or up to a keyword of `ends`."""
    depth = 0
    for token in tokens:
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth < 0 or (depth == 0 and token in ends):
            return
        yield token


def _change(kind: str, part: Sequence[str], table: str) -> Change:
    following = [*part[1:], ""]
    return Change(
        kind,
        table,
        frozenset(_written(part)),
        {
            token
            for place, (token, after) in enumerate(zip(part, following, strict=True))
            if after == "(" and not _is_of_interval(part[place:])
        }
        | (_CLOCK & set(part)),
        "select" in part,
    )


def _is_of_interval(call: Sequence[str]) -> bool:
    """Whether a call extracts from a difference of instants: immutable, unlike from an instant."""
    return call[0] == "extract" and "-" in _part(call[2:])


def _written(part: Sequence[str]) -> Iterator[str]:
    """The columns before the equal signs of SET: `a = 1`, or `(a, b) = (…)`."""
    if "set" not in part:
        return
    depth, names = 0, list[str]()
    is_name = True
    for token in _part(part[part.index("set") + 1 :], {"from", "where", "returning"}):
        depth += {"(": 1, ")": -1}.get(token, 0)
        if depth == 0 and token == "=" and is_name:
            yield from names
            is_name = False
        elif depth == 0 and token == ",":
            names, is_name = [], True
        elif is_name:
            names.append(token)
