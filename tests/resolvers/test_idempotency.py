"""A mutation with an idempotency key is carried out once, whatever becomes of its answer."""

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type
from tortoise.backends.asyncpg.client import TransactionWrapper
from tortoise.backends.base.client import BaseDBAsyncClient

from config import clock
from config.settings import Settings
from metergraph.database.database_url import credentials
from models import Organization
from resolvers.mutating import Mutates
from resolvers.schema import create_schema
from schema.context import Scope
from tests.graphql_client import Api, make_token
from tests.resolvers.ai_plan import ai_plan

ERRORS = "userErrors { code message path }"
DOCUMENTS = {
    "meterCreate": ("MeterCreateInput", "meter { id name }"),
    "customerCreate": ("CustomerCreateInput", "customer { id name }"),
    "customerMeterCredit": ("CustomerMeterCreditInput", "customerMeter { id creditedUnits }"),
    "customerSubscriptionCreate": ("CustomerSubscriptionCreateInput", "subscription { id }"),
    "customerSubscriptionCancel": (
        "CustomerSubscriptionCancelInput",
        "subscription { id status }",
    ),
    "productCreate": ("ProductCreateInput", "product { id name }"),
    "meterCreditBenefitCreate": ("MeterCreditBenefitCreateInput", "benefit { id }"),
}
# What each makes a row of, at least.
TABLES = {
    "meterCreate": "meter",
    "customerCreate": "customer",
    "customerMeterCredit": "credit_entry",
    "customerSubscriptionCreate": "invoice",
    "productCreate": "product",
    "meterCreditBenefitCreate": "meter_credit_benefit",
}
KEY = "order-4711"


class Caller:
    """Calls the mutations, with inputs that make sense in one small organization."""

    def __init__(
        self, api: Api, inputs: dict[str, dict[str, Any]], customers: dict[str, str]
    ) -> None:
        self.api = api
        self.inputs = inputs
        self.customers = customers

    async def answer(
        self, mutation: str, key: str | None = KEY, /, api: Api | None = None, **changes: Any
    ) -> dict[str, Any]:
        sent = {**self.inputs[mutation], **changes, "idempotencyKey": key}
        body = {"query": document(mutation), "variables": {"input": sent}}
        # json writes half of a surrogate pair, too.
        response = await (api or self.api).post(json.dumps(body))
        answer: dict[str, Any] = response.json()
        return answer

    async def call(
        self, mutation: str, key: str | None = KEY, /, api: Api | None = None, **changes: Any
    ) -> dict[str, Any]:
        answer = await self.answer(mutation, key, api, **changes)
        assert "errors" not in answer, answer["errors"]
        payload: dict[str, Any] = answer["data"][mutation]
        return payload


def document(mutation: str) -> str:
    type_name, selected = DOCUMENTS[mutation]
    return (
        f"mutation ($input: {type_name}!) {{ {mutation}(input: $input) {{ {selected} {ERRORS} }} }}"
    )


def made(payload: dict[str, Any]) -> Any:
    assert payload["userErrors"] == []
    return next(value for name, value in payload.items() if name != "userErrors")


def mistakes(payload: dict[str, Any]) -> list[tuple[str, list[str]]]:
    return [(error["code"], error["path"]) for error in payload["userErrors"]]


@pytest.fixture
async def caller(api: Api) -> Caller:
    meter, product = await ai_plan(api)
    customers = {}
    for name in ("acme", "globex"):
        created = await api.get(
            "mutation ($id: String!) { customerCreate(input: {externalId: $id}) { customer { id }"
            " } }",
            id=name,
        )
        customers[name] = created["customerCreate"]["customer"]["id"]
    subscribed = await api.get(
        document("customerSubscriptionCreate"),
        input={"customerId": customers["globex"], "productId": product["id"]},
    )
    inputs: dict[str, dict[str, Any]] = {
        "meterCreate": {
            "name": "tokens",
            "filter": {
                "clauses": [{"clause": {"property": "n", "operator": "EQUALS", "value": 10}}]
            },
            "aggregation": {"function": "SUM", "property": "tokens"},
        },
        "customerCreate": {"name": "Pied Piper"},
        "customerMeterCredit": {
            "externalCustomerId": "acme",
            "meterId": meter,
            "units": "100",
            "reason": "a gift",
        },
        "customerSubscriptionCreate": {
            "externalCustomerId": "acme",
            "productId": product["id"],
            "startedAt": "2026-03-01T12:00:00Z",
        },
        "customerSubscriptionCancel": {
            "id": subscribed["customerSubscriptionCreate"]["subscription"]["id"],
            "when": "NOW",
        },
        "productCreate": {
            "name": "plan",
            "recurringInterval": "MONTH",
            "prices": [{"fixed": {"currency": "USD", "amount": 100}}],
        },
        "meterCreditBenefitCreate": {
            "description": "free",
            "meterId": meter,
            "units": "1.50",
        },
    }
    return Caller(api, inputs, customers)


@pytest.fixture
def counts(database: BaseDBAsyncClient, organization: Organization) -> Callable[[str], Any]:
    async def counts(mutation: str) -> int:
        rows = await database.execute_query_dict(
            f"SELECT count(*) AS n FROM {TABLES[mutation]} WHERE organization_id = $1",
            [organization.id],
        )
        number: int = rows[0]["n"]
        return number

    return counts


@contextmanager
def answers_lost_after_commit() -> Iterator[None]:
    """The connection breaks when what was sent has been committed, before anybody is told."""
    commit = TransactionWrapper.commit

    async def lost(self: TransactionWrapper) -> None:
        await commit(self)
        if not isinstance(self._parent, TransactionWrapper):  # savepoints are not lost
            raise asyncpg.ConnectionDoesNotExistError("connection was closed in the middle")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionWrapper, "commit", lost)
        yield


def test_what_makes_something_or_moves_money_takes_a_key() -> None:
    mutation = create_schema()._schema.mutation_type
    assert isinstance(mutation, GraphQLObjectType)
    keyed, made_once = set(), set()
    for name, field in mutation.fields.items():
        sent = get_named_type(field.args["input"].type)
        assert isinstance(sent, GraphQLInputObjectType)
        if "idempotencyKey" in sent.fields:
            keyed.add(name)
        [gate] = [
            extension
            for extension in field.extensions["strawberry-definition"].extensions
            if isinstance(extension, Mutates)
        ]
        if gate.makes is not None:
            made_once.add(name)
    assert keyed == made_once == DOCUMENTS.keys()


async def test_what_is_sent_again_with_its_key_is_done_once(
    caller: Caller, counts: Callable[[str], Any]
) -> None:
    for mutation in TABLES:
        before = await counts(mutation)
        first = await caller.call(mutation, mutation)
        after = await counts(mutation)
        assert after > before, mutation
        assert await caller.call(mutation, mutation) == first
        assert await counts(mutation) == after, mutation


async def test_an_answer_that_is_lost_after_commit_can_be_asked_for_again(caller: Caller) -> None:
    for mutation in DOCUMENTS:
        with answers_lost_after_commit():
            [error] = (await caller.answer(mutation, mutation))["errors"]
        assert error["extensions"]["retryable"] is True, mutation
        again = made(await caller.call(mutation, mutation))
        assert made(await caller.call(mutation, mutation)) == again, mutation


async def test_a_credit_whose_answer_is_lost_is_credited_once(caller: Caller) -> None:
    with answers_lost_after_commit():
        await caller.answer("customerMeterCredit")
    assert made(await caller.call("customerMeterCredit"))["creditedUnits"] == "100"


async def test_a_cancellation_that_is_sent_again_is_no_mistake(caller: Caller) -> None:
    first = made(await caller.call("customerSubscriptionCancel"))
    assert first["status"] == "CANCELED"
    assert made(await caller.call("customerSubscriptionCancel")) == first
    refused = await caller.call("customerSubscriptionCancel", "another key")
    assert mistakes(refused) == [("INVALID", ["id"])]


async def test_without_a_key_the_client_is_told_to_look_first(caller: Caller) -> None:
    for mutation in DOCUMENTS:
        with answers_lost_after_commit():
            [error] = (await caller.answer(mutation, None))["errors"]
        assert error["extensions"]["retryable"] is False, mutation
        assert "look before you send it again" in error["message"]


async def test_without_a_key_everything_is_done_as_often_as_it_is_sent(caller: Caller) -> None:
    await caller.call("customerMeterCredit", None)
    assert made(await caller.call("customerMeterCredit", None))["creditedUnits"] == "200"


async def test_the_answer_shows_the_object_as_it_is_now(caller: Caller) -> None:
    meter = made(await caller.call("meterCreate"))
    await caller.api.get(
        'mutation ($id: ID!) { meterUpdate(input: {id: $id, name: "renamed"}) { meter { id } } }',
        id=meter["id"],
    )
    assert made(await caller.call("meterCreate")) == {"id": meter["id"], "name": "renamed"}


async def every_mutation_twice(caller: Caller) -> dict[str, dict[str, Any]]:
    """What each answers again, with its name as the key, when all have been carried out."""
    for mutation in DOCUMENTS:
        assert made(await caller.call(mutation, mutation)), mutation
    return {mutation: await caller.call(mutation, mutation) for mutation in DOCUMENTS}


OTHERS: list[tuple[str, dict[str, Any]]] = [
    ("meterCreate", {"name": "others"}),
    ("meterCreate", {"unit": "token"}),
    ("meterCreate", {"filter": {}}),
    ("customerCreate", {"name": "pied piper"}),
    ("customerCreate", {"email": "a@example.com"}),
    ("customerMeterCredit", {"units": "-100"}),
    ("customerMeterCredit", {"units": "100.000001"}),
    ("customerMeterCredit", {"reason": "\ud800"}),
    ("customerMeterCredit", {"reason": "a gift\0"}),
    ("customerSubscriptionCreate", {"startedAt": "2026-03-01T12:00:00.000001Z"}),
    ("customerSubscriptionCancel", {"when": "PERIOD_END"}),
    ("productCreate", {"prices": [{"fixed": {"currency": "EUR", "amount": 100}}]}),
    ("meterCreditBenefitCreate", {"rollover": True}),
]


async def test_another_input_with_the_same_key_is_a_conflict(caller: Caller) -> None:
    first = await every_mutation_twice(caller)
    for mutation, changes in OTHERS:
        conflict = await caller.call(mutation, mutation, **changes)
        assert mistakes(conflict) == [("CONFLICT", ["idempotencyKey"])], (mutation, changes)
        assert "another input" in conflict["userErrors"][0]["message"]
    for mutation, payload in first.items():
        assert await caller.call(mutation, mutation) == payload


SAME: list[tuple[str, dict[str, Any]]] = [
    ("meterCreate", {"unit": None}),
    (
        "meterCreate",
        {
            "aggregation": {"property": "tokens", "function": "SUM"},
            "filter": {
                "conjunction": "AND",
                "clauses": [
                    {
                        "clause": {
                            "value": 10,
                            "text": None,
                            "operator": "EQUALS",
                            "property": "n",
                        }
                    }
                ],
            },
        },
    ),
    ("customerCreate", {"email": None, "externalId": None}),
    ("customerMeterCredit", {"units": "100.00"}),
    ("customerMeterCredit", {"units": 100}),
    ("customerMeterCredit", {"units": "100.000", "customerId": None}),
    ("customerSubscriptionCreate", {"startedAt": "2026-03-01T14:00:00.000+02:00"}),
    ("productCreate", {"benefitIds": [], "description": None}),
    ("meterCreditBenefitCreate", {"units": "1.5", "rollover": False}),
]


async def test_the_same_input_in_other_words_is_the_same(caller: Caller) -> None:
    first = await every_mutation_twice(caller)
    for mutation, changes in SAME:
        again = await caller.call(mutation, mutation, **changes)
        assert again == first[mutation], (mutation, changes)


async def test_a_number_of_a_filter_may_be_written_in_any_way(caller: Caller) -> None:
    create = """mutation { meterCreate(input: {
      name: "m", aggregation: {function: COUNT}, idempotencyKey: "k",
      filter: {clauses: [{clause: {property: "n", operator: EQUALS, value: %s}}]}
    }) { meter { id } userErrors { code path } } }"""
    first = made((await caller.api.get(create % "10"))["meterCreate"])
    for value in ("10.0", "1e1", "1.00e1"):
        assert made((await caller.api.get(create % value))["meterCreate"]) == first, value
    for value in ('"10"', "true", "10.5"):
        refused = (await caller.api.get(create % value))["meterCreate"]
        assert mistakes(refused) == [("CONFLICT", ["idempotencyKey"])], value


async def test_a_key_is_of_one_mutation(caller: Caller) -> None:
    await caller.call("meterCreate")
    conflict = await caller.call("customerCreate")
    assert mistakes(conflict) == [("CONFLICT", ["idempotencyKey"])]
    assert "meterCreate" in conflict["userErrors"][0]["message"]


async def test_a_key_is_of_the_organization_whoever_sends_it(
    caller: Caller, organization: Organization
) -> None:
    first = await caller.call("customerMeterCredit")
    colleague = caller.api.with_secret(await make_token(organization, Scope.ADMIN))
    assert await caller.call("customerMeterCredit", api=colleague) == first


async def test_another_organization_s_key_is_another_key(caller: Caller, other_api: Api) -> None:
    first = made(await caller.call("customerCreate"))
    second = made(await caller.call("customerCreate", api=other_api))
    assert second["id"] != first["id"]
    assert made(await caller.call("customerCreate", api=other_api)) == second


async def test_what_was_refused_leaves_the_key_free(
    caller: Caller, counts: Callable[[str], Any]
) -> None:
    before = await counts("customerMeterCredit")
    refused = await caller.call("customerMeterCredit", units="0")
    assert mistakes(refused) == [("INVALID", ["units"])]
    refused = await caller.call("customerMeterCredit", externalCustomerId="nobody")
    assert mistakes(refused) == [("NOT_FOUND", ["externalCustomerId"])]
    assert await counts("customerMeterCredit") == before
    assert made(await caller.call("customerMeterCredit"))["creditedUnits"] == "100"


async def test_a_customer_that_is_there_already_leaves_the_key_free(caller: Caller) -> None:
    await caller.call("customerCreate", "first", externalId="hooli")
    refused = await caller.call("customerCreate", externalId="hooli")
    assert mistakes(refused) == [("ALREADY_EXISTS", ["externalId"])]
    assert made(await caller.call("customerCreate", externalId="raviga"))


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
        assert mistakes(refused) == [("INVALID", ["idempotencyKey"])], key


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
        "DELETE FROM meter_credit_benefit WHERE organization_id = $1 AND description = 'free'",
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
    lock = await asyncpg.connect(**credentials(str(settings.database_url)))
    try:
        await lock.execute("BEGIN; LOCK TABLE meter IN ACCESS EXCLUSIVE MODE")
        many = 3 * settings.database_pool_size
        calls = [asyncio.create_task(caller.call("meterCreate")) for _ in range(many)]
        await _blocked(lock)
        async with asyncio.timeout(30):
            for _ in range(20):
                assert await other_api.get("{ customers { totalCount } }")
        assert await lock.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted") == 1
        await lock.execute("ROLLBACK")
        answers = await asyncio.gather(*calls)
    finally:
        await lock.close()
    assert made(answers[0])
    assert all(answer == answers[0] for answer in answers)
    assert await counts("meterCreate") == before + 1


async def test_who_is_cut_off_in_the_middle_can_send_it_again(
    caller: Caller, settings: Settings, counts: Callable[[str], Any]
) -> None:
    before = await counts("meterCreate")
    lock = await asyncpg.connect(**credentials(str(settings.database_url)))
    try:
        await lock.execute("BEGIN; LOCK TABLE meter IN ACCESS EXCLUSIVE MODE")
        call = asyncio.create_task(caller.answer("meterCreate"))
        await _blocked(lock)
        await lock.execute("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE NOT granted")
        [error] = (await call)["errors"]
        await lock.execute("ROLLBACK")
    finally:
        await lock.close()
    assert error["extensions"]["retryable"] is True
    assert await counts("meterCreate") == before
    assert made(await caller.call("meterCreate"))
    assert await counts("meterCreate") == before + 1


async def _blocked(connection: asyncpg.Connection) -> None:
    async with asyncio.timeout(60):
        while not await connection.fetchval(  # noqa: ASYNC110  # locks tell nobody
            "SELECT count(*) FROM pg_locks WHERE NOT granted"
        ):
            await asyncio.sleep(0.02)
