"""Looking up whose secret it is, by many requests at once."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from models import AccessToken, Customer, CustomerSession, Organization
from schema.loaders.rows import Record, fetch
from schema.secrets import (
    BROWSER_PREFIX,
    PREFIX,
    SESSION_PREFIX,
    SecretLookup,
    hash_secret,
    new_secret,
)


async def token_of(organization: Organization, secret: str) -> AccessToken:
    return await AccessToken.create(
        organization=organization, name=secret, scopes=["ADMIN"], secret_hash=hash_secret(secret)
    )


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many secrets each statement asked for."""
    counted: list[int] = []

    async def counting(sql: str, *parameters: Any) -> Sequence[Record]:
        counted.append(len(parameters[0]))
        return await fetch(sql, *parameters)

    monkeypatch.setattr("schema.secrets.fetch_aside", counting)
    return counted


async def test_tokens_and_sessions_are_found_and_others_are_not(
    organization: Organization,
) -> None:
    token = await token_of(organization, f"a-{organization.id}")
    customer = await Customer.create(organization_id=organization.id)
    secret = new_secret(SESSION_PREFIX)
    session = await CustomerSession.create(
        organization_id=organization.id,
        customer_id=customer.id,
        secret_hash=hash_secret(secret),
        expires_at=datetime.now(UTC) + timedelta(minutes=1),
    )
    lookup = SecretLookup()
    found = await asyncio.gather(
        *(
            lookup.find(found)
            for found in (token.name, secret, "nobody's", new_secret(SESSION_PREFIX))
        )
    )
    assert [row and (row["id"], row["customer_id"]) for row in found] == [
        (token.id, None),
        (session.id, customer.id),
        None,
        None,
    ]


async def test_requests_that_arrive_together_share_a_statement(
    organization: Organization, statements: list[int]
) -> None:
    tokens = [await token_of(organization, f"{number}-{organization.id}") for number in range(3)]
    lookup = SecretLookup()
    rows = await asyncio.gather(*(lookup.find(tokens[number % 3].name) for number in range(30)))
    assert [bytes(row["secret_hash"]) for row in rows if row] == [
        token.secret_hash for token in tokens
    ] * 10
    assert statements == [3]


async def test_a_token_that_was_revoked_is_refused_at_once(organization: Organization) -> None:
    token = await token_of(organization, f"a-{organization.id}")
    lookup = SecretLookup()
    asking = True

    async def ask() -> None:
        while asking:
            await lookup.find(token.name)

    others = [asyncio.create_task(ask()) for _ in range(4)]
    try:
        assert await lookup.find(token.name) is not None
        token.revoked_at = datetime.now(UTC)
        await token.save()
        assert await lookup.find(token.name) is None
    finally:
        asking = False
        await asyncio.gather(*others)


async def test_a_failure_reaches_all_who_waited_and_the_next_lookup_works(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await token_of(organization, f"a-{organization.id}")
    lookup = SecretLookup()

    async def away(_sql: str, *_parameters: Any) -> Sequence[Record]:
        raise ConnectionResetError("gone")

    with monkeypatch.context() as patch:
        patch.setattr("schema.secrets.fetch_aside", away)
        answers = await asyncio.gather(
            *(lookup.find(token.name) for _ in range(3)), return_exceptions=True
        )
        assert [type(answer) for answer in answers] == [ConnectionResetError] * 3
    assert await lookup.find(token.name) is not None


async def test_a_request_that_leaves_takes_no_answer_away(organization: Organization) -> None:
    token = await token_of(organization, f"a-{organization.id}")
    lookup = SecretLookup()
    leaving, staying = (asyncio.create_task(lookup.find(token.name)) for _ in range(2))
    await asyncio.sleep(0)
    leaving.cancel()
    assert await staying is not None
    assert leaving.cancelled()


async def test_a_slow_statement_does_not_hold_up_later_lookups(
    organization: Organization, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = await token_of(organization, f"a-{organization.id}")
    never, asked = asyncio.Event(), 0

    async def slow_at_first(sql: str, *parameters: Any) -> Sequence[Record]:
        nonlocal asked
        asked += 1
        if asked == 1:
            await never.wait()
        return await fetch(sql, *parameters)

    monkeypatch.setattr("schema.secrets.fetch_aside", slow_at_first)
    lookup = SecretLookup()
    first = asyncio.create_task(lookup.find(token.name))
    async with asyncio.timeout(60):
        while not asked:  # noqa: ASYNC110  # the statement tells nobody
            await asyncio.sleep(0)
        assert await lookup.find(token.name) is not None
        assert not first.done()
        never.set()
        assert await first is not None


async def test_lookups_are_planned_once(
    database: BaseDBAsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with database.acquire_connection() as connection:

        async def on_one_connection(sql: str, *parameters: Any) -> Sequence[Record]:
            rows: Sequence[Record] = await connection.fetch(sql, *parameters)
            return rows

        monkeypatch.setattr("schema.secrets.fetch_aside", on_one_connection)
        lookup = SecretLookup()
        for _ in range(10):
            for prefix in (PREFIX, SESSION_PREFIX, BROWSER_PREFIX):
                assert await lookup.find(new_secret(prefix)) is None
        kept = await connection.fetch(
            "SELECT generic_plans FROM pg_prepared_statements WHERE statement LIKE $1",
            "%secret_hash = ANY%",
        )
    # PostgreSQL plans the first five runs of every statement.
    assert [row["generic_plans"] >= 5 for row in kept] == [True] * 3
