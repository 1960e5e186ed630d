"""Finds the scans of a statement's plan that are not limited to one organization.

A generic plan has the statement's parameters as `$1`. So a scan whose condition is
`organization_id = $1` reads rows of one organization, whatever the value is: on Citus, one shard.
PostgreSQL passes the condition on through joins as Citus does.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import asyncpg

_PARAMETER = re.compile(r"\$(\d+)")
_CONDITIONS = ("Index Cond", "Recheck Cond", "Filter")
# $0 and the like may also be the result of a subquery, which the plan names as "returns $0".
_RETURNED = re.compile(r"\(returns ([^)]*)\)")
_OF_ORGANIZATION = re.compile(r"organization_id = (\$\d+)")
_QUOTED = re.compile(r"'(?:[^']|'')*'")

_SETTINGS = """
    SET plan_cache_mode = force_generic_plan;
    -- Executing it with NULL would remove the partitions that no row with NULL can be in.
    SET enable_partition_pruning = off;
"""

# Tables by name: the table of which they are a partition, or they themselves.
_TENANTS_TABLES = """
    SELECT part.relname AS name, coalesce(pg_partition_root(part.oid)::regclass::text, part.relname)
               AS root
    FROM pg_class part
    JOIN pg_attribute ON attrelid = part.oid AND attname = 'organization_id'
    WHERE part.relnamespace = 'public'::regnamespace AND part.relkind IN ('r', 'p')
"""


class Planner:
    """Plans statements on an empty, migrated database of their own.

    Args:
        connection: to that database; it is used for nothing else.
        reference_tables: tables with the rows of all organizations on every node.
    """

    def __init__(self, connection: asyncpg.Connection, reference_tables: Iterable[str]) -> None:
        self._connection = connection
        self._reference_tables = frozenset(reference_tables)
        self._tables: Mapping[str, str] = {}

    async def prepare(self) -> None:
        """Makes the connection plan as this needs it."""
        await self._connection.execute(_SETTINGS)
        rows = await self._connection.fetch(_TENANTS_TABLES)
        roots = {row["name"]: row["root"] for row in rows}
        self._tables = {
            name: root for name, root in roots.items() if root not in self._reference_tables
        }

    async def unlimited_tables(self, statement: str) -> list[str]:
        """Returns the tables of which the statement reads rows of more than one organization.

        Raises:
            asyncpg.PostgresError: the statement cannot be planned.
        """
        numbers = [int(number) for number in _PARAMETER.findall(statement)]
        values = f"({', '.join(['NULL'] * max(numbers))})" if numbers else ""
        await self._connection.execute(f"PREPARE planned AS {statement}")
        try:
            plan = json.loads(
                await self._connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE planned{values}")
            )
        finally:
            await self._connection.execute("DEALLOCATE planned")
        nodes = list(_nodes(plan[0]["Plan"]))
        computed = {
            name
            for node in nodes
            for names in _RETURNED.findall(node.get("Subplan Name", ""))
            for name in names.split(",")
        }
        return sorted(
            {
                self._tables[node["Relation Name"]]
                for node in nodes
                if "Scan" in node["Node Type"]
                and node.get("Relation Name") in self._tables
                and not _is_limited(node, computed)
            }
        )


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for child in node.get("Plans", ()):
        yield from _nodes(child)


def _is_limited(node: dict[str, Any], computed: set[str]) -> bool:
    found = (
        _OF_ORGANIZATION.fullmatch(condition)
        for name in _CONDITIONS
        for condition in _conjuncts(_QUOTED.sub("''", node.get(name, "")))
    )
    return any(match is not None and match[1] not in computed for match in found)


def _conjuncts(condition: str) -> Iterator[str]:
    """The parts of `((a = 1) AND (b = 2))`, without their parentheses."""
    depth, start = 0, 0
    inner = condition.removeprefix("(").removesuffix(")")
    parts: list[str] = []
    for index, character in enumerate(inner):
        depth += {"(": 1, ")": -1}.get(character, 0)
        if depth == 0 and inner.startswith(" AND ", index):
            parts.append(inner[start:index])
            start = index + len(" AND ")
    parts.append(inner[start:])
    if len(parts) == 1:
        yield parts[0]
    else:
        yield from (part.removeprefix("(").removesuffix(")") for part in parts)
