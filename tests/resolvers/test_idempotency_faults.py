"""An idempotency key when a mutation fails, is cut off, or is sent twice at once."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from config import clock
from config.settings import Settings
from models import Organization
from tests.graphql_client import Api
from tests.postgres import locked, locks_awaited
from tests.resolvers.keyed_mutations import (
    TABLES,
    Caller,
    made,
    mistakes,
)


async def test_a_failure_in_the_middle_leaves_the_key_free(
    caller: Caller, counts: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_arguments: object) -> None:
        raise ZeroDivisionError

    before = await counts("customerSubscriptionCreate")
    with monkeypatch.context() as patch:
        patch.setattr("resolvers.once._store", broken)
        [error] = (await caller.answer("customerSubscriptionCreate"))["errors"]
    assert error["extensions"]["code"] == "INTERNAL"
    assert await counts("customerSubscriptionCreate") == before
    assert made(await caller.call("customerSubscriptionCreate"))
    assert await counts("customerSubscriptionCreate") == before + 1


async def test_an_edit_that_turns_periods_first_is_all_or_nothing_with_a_key(
    caller: Caller, counts: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its chunks are parts of one transaction then."""

    async def broken(*_arguments: object) -> None:
        raise ConnectionResetError

    async def money() -> tuple[int, int]:
        return await counts("customerSubscriptionCreate"), await counts("customerMeterCredit")

    sent: dict[str, Any] = {
        "externalCustomerId": None,
        "customerId": caller.customers["globex"],
    }
    invoices, entries = await money()
    with clock.at(clock.now() + timedelta(days=70)):
        with monkeypatch.context() as patch:
            patch.setattr("resolvers.once._store", broken)
            [error] = (await caller.answer("customerMeterCredit", **sent))["errors"]
        assert error["extensions"]["retryable"] is True
        assert await money() == (invoices, entries)
        made(await caller.call("customerMeterCredit", **sent))
        turned, credited = await money()
        assert (turned - invoices, credited > entries) == (2, True)
        made(await caller.call("customerMeterCredit", **sent))
        assert await money() == (turned, credited)


async def test_a_key_that_is_no_text_of_255_characters_is_refused(caller: Caller) -> None:
    for key in ("", "x" * 256, "a\0b", "a\ud800b"):
        refused = await caller.call("customerCreate", key)
        code = "LIMIT_EXCEEDED" if len(key) > 255 else "INVALID"
        assert mistakes(refused) == [(code, ["idempotencyKey"])], key


async def test_any_other_text_is_a_key(caller: Caller) -> None:
    ids = set()
    for key in ("x", "X", "x" * 255, " ", "  ", "É" * 255, "🦀" * 255, "' OR 1=1 --"):
        first = made(await caller.call("customerCreate", key))
        assert made(await caller.call("customerCreate", key)) == first
        ids.add(first["id"])
    assert len(ids) == 8


async def test_what_has_been_deleted_since_is_said_to_be_gone(
    caller: Caller, database: BaseDBAsyncClient, organization: Organization
) -> None:
    await caller.call("meterCreditBenefitCreate")
    await database.execute_query(
        "DELETE FROM benefit WHERE organization_id = $1 AND description = 'free'",
        [organization.id],
    )
    gone = await caller.call("meterCreditBenefitCreate")
    assert mistakes(gone) == [("NOT_FOUND", ["idempotencyKey"])]


async def test_two_at_once_are_one(caller: Caller, counts: Callable[[str], Any]) -> None:
    for mutation in TABLES:
        before = await counts(mutation)
        answers = await asyncio.gather(*(caller.call(mutation, mutation) for _ in range(8)))
        assert made(answers[0])
        assert all(answer == answers[0] for answer in answers), mutation
        after = await counts(mutation)
        await caller.call(mutation, mutation)
        assert await counts(mutation) == after > before, mutation


async def test_who_waits_for_another_holds_no_connection(
    caller: Caller, other_api: Api, settings: Settings, counts: Callable[[str], Any]
) -> None:
    before = await counts("meterCreate")
    async with locked(settings, "meter") as lock:
        many = 3 * settings.database_pool_size
        calls = [asyncio.create_task(caller.call("meterCreate")) for _ in range(many)]
        await locks_awaited(lock)
        async with asyncio.timeout(30):
            for _ in range(20):
                assert await other_api.get("{ customers { totalCount } }")
        assert await lock.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") == 1
        await lock.execute("ROLLBACK")
        answers = await asyncio.gather(*calls)
    assert made(answers[0])
    assert all(answer == answers[0] for answer in answers)
    assert await counts("meterCreate") == before + 1


async def test_who_is_cut_off_in_the_middle_can_send_it_again(
    caller: Caller, settings: Settings, counts: Callable[[str], Any]
) -> None:
    before = await counts("meterCreate")
    async with locked(settings, "meter") as lock:
        call = asyncio.create_task(caller.answer("meterCreate"))
        await locks_awaited(lock)
        await lock.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted")
        [error] = (await call)["errors"]
        await lock.execute("ROLLBACK")
    assert error["extensions"]["retryable"] is True
    assert await counts("meterCreate") == before
    assert made(await caller.call("meterCreate"))
    assert await counts("meterCreate") == before + 1
