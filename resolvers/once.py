"""Runs a mutation once for each idempotency key of an organization.

The key, the input's hash and the id of the result are stored in the mutation's own transaction. So
the key exists if and only if the mutation was done, even if a process is killed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from metering.problems import ProblemCode, RefusedError, problem
from metering.texts import IDEMPOTENCY_KEY, text_fault
from resolvers.queries.nodes import load_node
from schema.context import Context, Info
from schema.inputs.idempotency import input_hash

# The first pause of a request that waits for another one with its key; each pause is longer.
_FIRST_PAUSE_SECONDS = 0.01
_LONGEST_PAUSE_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class _Use:
    """One use of a key."""

    organization_id: UUID
    key: str
    mutation: str
    input_hash: bytes


@dataclass(frozen=True, slots=True)
class _Earlier:
    """The earlier use of a key; `result` has the global ids of the objects that were made."""

    mutation: str
    input_hash: bytes
    result: str


async def carried_out_once(
    info: Info, sent: Any, makes: Sequence[str], run: Callable[[], Awaitable[Any]]
) -> Any:
    """Returns the payload of `run`, which runs only if the key is new.

    Args:
        info: the mutation's field.
        sent: its input, with an `idempotency_key`.
        makes: the fields of the payload with the objects that the mutation makes or changes. Only
            the first is never null.
        run: the mutation. Its own transactions become savepoints of the one that stores the key.

    Raises:
        RefusedError: the mutation was refused, and its key stays free; or the key is taken.
    """
    payload_type: Any = info.return_type
    context = info.context
    if fault := text_fault(sent.idempotency_key, IDEMPOTENCY_KEY):
        code, rest = fault
        raise RefusedError(problem(code, f"idempotencyKey {rest}", "idempotencyKey"))
    use = _Use(context.organization_id, sent.idempotency_key, info.field_name, input_hash(sent))
    pause = _FIRST_PAUSE_SECONDS
    while True:
        found = await _try(use, makes, run)
        if isinstance(found, _Earlier):
            return await _again(context, payload_type, makes, use, found)
        if found is not None:
            return found
        # Another request with this key is under way. Waiting for it holds no connection.
        await asyncio.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)


async def _try(
    use: _Use, makes: Sequence[str], run: Callable[[], Awaitable[Any]]
) -> Any | _Earlier | None:
    """Returns the payload of `run`, or the key's earlier use; None while another is under way."""
    async with in_transaction() as connection:
        if not await _claim(connection, use):
            return None
        earlier = await _earlier(connection, use)
        if earlier is not None:
            return earlier
        payload = await run()
        made = (getattr(payload, name) for name in makes)
        await _store(connection, use, " ".join(one.id for one in made if one is not None))
        return payload


async def _again(
    context: Context, payload_type: Any, makes: Sequence[str], use: _Use, earlier: _Earlier
) -> Any:
    """Returns the payload for a key that was used before, with the objects as they are now."""
    if use.mutation != earlier.mutation:
        raise _refused("CONFLICT", f"was already used for {earlier.mutation}")
    if use.input_hash != earlier.input_hash:
        raise _refused("CONFLICT", "was already used with a different input")
    context.forget_loaded()
    nodes = [await load_node(context, node_id) for node_id in earlier.result.split(" ")]
    if None in nodes:
        raise _refused("NOT_FOUND", "created an object that no longer exists")
    return payload_type(**dict(zip(makes, nodes, strict=False)))


def _refused(code: ProblemCode, what: str) -> RefusedError:
    return RefusedError(problem(code, f"This idempotencyKey {what}.", "idempotencyKey"))


async def _claim(connection: BaseDBAsyncClient, use: _Use) -> bool:
    """Tries to lock the key until the transaction ends; False if another transaction has it."""
    rows = await connection.execute_query_dict(
        "SELECT pg_try_advisory_xact_lock(hashtextextended($1::text, 0)) AS claimed",
        [f"idempotency:{use.organization_id}:{use.key}"],
    )
    claimed: bool = rows[0]["claimed"]
    return claimed


async def _earlier(connection: BaseDBAsyncClient, use: _Use) -> _Earlier | None:
    rows = await connection.execute_query_dict(
        """
        SELECT mutation, input_hash, result FROM idempotency_key
        WHERE organization_id = $1 AND key = $2
        """,
        [use.organization_id, use.key],
    )
    return _Earlier(**rows[0]) if rows else None


async def _store(connection: BaseDBAsyncClient, use: _Use, result: str) -> None:
    await connection.execute_query(
        """
        INSERT INTO idempotency_key
            (organization_id, key, mutation, input_hash, result, created_at)
        VALUES ($1, $2, $3, $4, $5, now())
        """,
        [use.organization_id, use.key, use.mutation, use.input_hash, result],
    )
