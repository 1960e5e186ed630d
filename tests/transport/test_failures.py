"""What clients see of bugs and outages."""

import asyncpg
import pytest
from graphql import GraphQLError
from structlog.testing import capture_logs

from schema.errors import NotFound
from schema.repeating import attempt, begin
from tests.graphql_client import Api
from transport.failures import failure, present, took_too_long


def test_a_bug_shows_an_id_that_is_in_the_log() -> None:
    with capture_logs() as logs:
        shown = failure(ZeroDivisionError("the secret recipe"))
    assert "recipe" not in shown.message
    assert shown.extensions is not None
    assert shown.extensions["code"] == "INTERNAL"
    assert [log["error_id"] for log in logs] == [shown.extensions["id"]]
    assert shown.extensions["id"] in shown.message


@pytest.mark.parametrize(
    "cause",
    [
        ConnectionRefusedError(),
        TimeoutError(),
        asyncpg.CannotConnectNowError("starting up"),
        asyncpg.exceptions.AdminShutdownError("terminated"),
        asyncpg.ConnectionDoesNotExistError("closed"),
        asyncpg.InterfaceError("pool is closing"),
        asyncpg.TooManyConnectionsError("too many"),
        asyncpg.exceptions.DeadlockDetectedError("deadlock"),
    ],
)
def test_an_outage_can_be_retried(cause: Exception) -> None:
    shown = failure(cause)
    assert shown.extensions is not None
    assert shown.extensions["code"] == "INTERNAL"
    assert shown.extensions["retryable"] is True


def test_a_statement_that_was_cut_off_is_the_caller_s_to_mend() -> None:
    shown = failure(asyncpg.QueryCanceledError("canceling statement due to statement timeout"))
    assert shown.extensions == {"code": "TOO_COMPLEX"}


def test_a_mutation_that_took_too_long_is_not_too_complex() -> None:
    with attempt():
        assert took_too_long(60).extensions == {"code": "TOO_COMPLEX"}
        begin(lambda: True)
        shown = took_too_long(60)
        assert shown.extensions is not None
        assert (shown.extensions["code"], shown.extensions["retryable"]) == ("INTERNAL", True)
        begin(lambda: False)
        shown = took_too_long(60)
        assert shown.extensions is not None
        assert shown.extensions["retryable"] is False
    assert took_too_long(60).extensions == {"code": "TOO_COMPLEX"}


def test_an_error_that_was_meant_for_the_client_stays() -> None:
    meant = NotFound("There is no such thing")
    assert failure(meant) is meant
    assert present(meant) is meant


def test_what_graphql_core_finds_is_the_caller_s() -> None:
    assert present(GraphQLError("Cannot query")).extensions == {"code": "BAD_USER_INPUT"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("query a total_tokens { x }", "BAD_USER_INPUT"),
        ("{ x } tokens", "BAD_USER_INPUT"),
        ('{ x } "Parsing aborted."', "BAD_USER_INPUT"),
        ("{ x(y: " + "[" * 900 + "]" * 900 + ") }", "TOO_COMPLEX"),
        ("{ x" + "...F" * 700 + " }", "TOO_COMPLEX"),
    ],
)
async def test_a_limit_of_the_parser_is_no_mistake_in_the_text(
    api: Api, text: str, code: str
) -> None:
    assert await api.codes(text) == [code]


def test_what_was_sent_is_no_suggestion() -> None:
    quoted = f"No ' Did you mean {'x' * 500}' there."
    error = GraphQLError(f"{quoted} Did you mean 'id'?")
    assert present(error, suggesting=False).message == quoted


async def test_a_broken_field_keeps_its_place_and_nothing_else(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_arguments: object, **_named: object) -> None:
        raise ZeroDivisionError("the secret recipe")

    monkeypatch.setattr("resolvers.queries.events.event_names", broken)
    answer = await api.ask("{ names: eventNames { name } }")
    assert answer["data"] is None
    error = answer["errors"][0]
    assert error["path"] == ["names"]
    assert error["locations"]
    assert error["extensions"].keys() == {"code", "id"}
    assert "recipe" not in str(answer)


async def test_an_outage_while_the_token_is_looked_up_is_one(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_arguments: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("schema.secret_lookup.fetch_aside", down)
    response = await api.post({"query": "{ __typename }"})
    assert response.status_code == 503
    assert response.json()["errors"][0]["extensions"]["retryable"] is True


async def test_events_can_be_sent_again_if_each_has_an_external_id(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_arguments: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("metering.ingest.waking.ingest", down)
    query = """mutation ($events: [EventInput!]!) { eventsIngest(input: {events: $events}) {
      inserted } }"""
    named = {"name": "x", "externalCustomerId": "c", "externalId": "1"}
    for events, retryable in (
        ([named, {**named, "externalId": "2"}], True),
        ([named, {"name": "x", "externalCustomerId": "c"}], False),
        ([{**named, "externalId": None}], False),
    ):
        [error] = (await api.ask(query, events=events))["errors"]
        assert error["extensions"]["retryable"] is retryable, events
        assert ("externalId" in error["message"]) is not retryable


async def test_a_request_can_be_repeated_if_all_that_it_began_can(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def down(*_arguments: object) -> None:
        raise ConnectionRefusedError

    monkeypatch.setattr("metering.ingest.waking.ingest", down)
    create = "customerCreate(input: {idempotencyKey: %s}) { customer { id } }"
    ingest = """eventsIngest(input: {
      events: [{name: "x", externalCustomerId: "c", externalId: "1"}]}) { inserted }"""
    for key, retryable in (('"k"', True), ("null", False)):
        answer = await api.ask(f"mutation {{ {create % key} {ingest} }}")
        assert [error["extensions"]["retryable"] for error in answer["errors"]] == [retryable]
    # What came before is another request.
    [error] = (await api.ask(f"mutation {{ {ingest} }}"))["errors"]
    assert error["extensions"]["retryable"] is True
    monkeypatch.setattr("resolvers.queries.events.event_names", down)
    [error] = (await api.ask("{ eventNames { name } }"))["errors"]
    assert error["extensions"]["retryable"] is True
