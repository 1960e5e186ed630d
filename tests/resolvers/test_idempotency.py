"""A mutation with an idempotency key is carried out once, whatever becomes of its answer."""

from collections.abc import Callable
from typing import Any

import pytest
from arq.connections import ArqRedis
from graphql import GraphQLInputObjectType, GraphQLObjectType, get_named_type

from metering.live.after_commit import performing_events
from metering.live.wakeup import UsageChanged
from models import Organization
from resolvers.mutating import Mutates
from tests.graphql_client import Api
from tests.resolvers.keyed_mutations import (
    DOCUMENTS,
    TABLES,
    Caller,
    answers_lost_after_commit,
    made,
    mistakes,
)
from tests.schema_execution import GRAPHQL_SCHEMA
from tests.serving import new_token


def test_every_mutation_that_creates_or_moves_money_takes_a_key() -> None:
    mutation = GRAPHQL_SCHEMA.mutation_type
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
        if gate.makes:
            made_once.add(name)
    assert keyed == made_once == DOCUMENTS.keys()


async def test_a_mutation_sent_again_with_its_key_is_done_once(
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


async def test_subscribers_are_told_once_of_a_credit_that_is_sent_twice(
    caller: Caller, redis: ArqRedis, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[UsageChanged] = []

    async def tell(event: UsageChanged, _redis: ArqRedis) -> None:
        told.append(event)

    monkeypatch.setattr(UsageChanged, "perform", tell)
    async with performing_events(redis):
        await caller.call("customerMeterCredit")
    assert len(told) == 1
    async with performing_events(redis):
        await caller.call("customerMeterCredit")
        refused = await caller.call("customerMeterCredit", "another", units="0")
        assert mistakes(refused) == [("INVALID", ["units"])]
    assert len(told) == 1


async def test_a_repeated_cancellation_is_not_an_error(caller: Caller) -> None:
    first = made(await caller.call("customerSubscriptionCancel"))
    assert first["status"] == "CANCELED"
    assert made(await caller.call("customerSubscriptionCancel")) == first
    refused = await caller.call("customerSubscriptionCancel", "another key")
    assert mistakes(refused) == [("INVALID", ["id"])]


async def test_without_a_key_a_lost_answer_is_not_retryable(caller: Caller) -> None:
    for mutation in DOCUMENTS:
        with answers_lost_after_commit():
            [error] = (await caller.answer(mutation, None))["errors"]
        assert error["extensions"]["retryable"] is False, mutation
        assert "check before you send it again" in error["message"]


async def test_without_a_key_a_mutation_is_done_each_time(caller: Caller) -> None:
    await caller.call("customerMeterCredit", None)
    assert made(await caller.call("customerMeterCredit", None))["creditedUnits"] == "200"


async def test_a_repeated_mutation_shows_the_current_object(caller: Caller) -> None:
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
    ("customerSubscriptionCreate", {"quantity": 2}),
    ("customerSubscriptionCancel", {"when": "PERIOD_END"}),
    ("customerSubscriptionCancel", {"prorate": True}),
    ("customerSubscriptionChange", {"quantity": 4}),
    ("customerSubscriptionChange", {"when": "PERIOD_END"}),
    ("productCreate", {"prices": [{"fixed": {"currency": "EUR", "amount": 100}}]}),
    ("meterCreditBenefitCreate", {"rollover": True}),
]


async def test_another_input_with_the_same_key_is_a_conflict(caller: Caller) -> None:
    first = await every_mutation_twice(caller)
    for mutation, changes in OTHERS:
        conflict = await caller.call(mutation, mutation, **changes)
        assert mistakes(conflict) == [("CONFLICT", ["idempotencyKey"])], (mutation, changes)
        assert "a different input" in conflict["userErrors"][0]["message"]
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


async def test_the_notation_of_a_number_does_not_matter(caller: Caller) -> None:
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


async def test_a_key_belongs_to_one_mutation(caller: Caller) -> None:
    await caller.call("meterCreate")
    conflict = await caller.call("customerCreate")
    assert mistakes(conflict) == [("CONFLICT", ["idempotencyKey"])]
    assert "meterCreate" in conflict["userErrors"][0]["message"]


async def test_a_key_belongs_to_the_organization_and_not_to_the_token(
    caller: Caller, organization: Organization
) -> None:
    first = await caller.call("customerMeterCredit")
    colleague = caller.api.with_secret(await new_token(organization))
    assert await caller.call("customerMeterCredit", api=colleague) == first


async def test_organizations_do_not_share_keys(caller: Caller, other_api: Api) -> None:
    first = made(await caller.call("customerCreate"))
    second = made(await caller.call("customerCreate", api=other_api))
    assert second["id"] != first["id"]
    assert made(await caller.call("customerCreate", api=other_api)) == second


async def test_a_refused_mutation_leaves_the_key_free(
    caller: Caller, counts: Callable[[str], Any]
) -> None:
    before = await counts("customerMeterCredit")
    refused = await caller.call("customerMeterCredit", units="0")
    assert mistakes(refused) == [("INVALID", ["units"])]
    refused = await caller.call("customerMeterCredit", externalCustomerId="nobody")
    assert mistakes(refused) == [("NOT_FOUND", ["externalCustomerId"])]
    assert await counts("customerMeterCredit") == before
    assert made(await caller.call("customerMeterCredit"))["creditedUnits"] == "100"


async def test_an_existing_customer_leaves_the_key_free(caller: Caller) -> None:
    await caller.call("customerCreate", "first", externalId="hooli")
    refused = await caller.call("customerCreate", externalId="hooli")
    assert mistakes(refused) == [("ALREADY_EXISTS", ["externalId"])]
    assert made(await caller.call("customerCreate", externalId="raviga"))
