"""What clients see of bugs and outages."""

import asyncpg
import pytest
from graphql import GraphQLError
from structlog.testing import capture_logs

from schema.errors import NotFound
from schema.repeating import attempt, begin
from tests.graphql_client import Api
from transport.failures import failure, present, took_too_long


# tests/waiting/test_outages.py has all of them.
@pytest.mark.parametrize("cause", [ConnectionRefusedError(), asyncpg.DiskFullError("full")])
def test_an_outage_can_be_retried(cause: Exception) -> None:
    shown = failure(cause)
    assert shown.extensions is not None
    assert shown.extensions["code"] == "INTERNAL"
    assert shown.extensions["retryable"] is True


def test_a_statement_that_takes_too_long_is_too_complex() -> None:
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


def test_an_error_for_the_client_stays_as_it_is() -> None:
    meant = NotFound("There is no such thing")
    assert failure(meant) is meant
    assert present(meant) is meant


def test_an_error_of_graphql_core_is_the_callers() -> None:
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
async def test_a_limit_of_the_parser_is_not_a_syntax_error(api: Api, text: str, code: str) -> None:
    assert await api.codes(text) == [code]


def test_only_suggestions_are_hidden_not_what_was_sent() -> None:
    quoted = f"No ' Did you mean {'x' * 500}' there."
    error = GraphQLError(f"{quoted} Did you mean 'id'?")
    assert present(error, suggesting=False).message == quoted


async def test_a_bug_shows_its_place_and_an_id_that_is_in_the_log(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_arguments: object, **_named: object) -> None:
        raise ZeroDivisionError("the secret recipe")

    monkeypatch.setattr("resolvers.queries.events.event_names", broken)
    with capture_logs() as logs:
        answer = await api.ask("{ names: eventNames { name } }")
    assert answer["data"] is None
    error = answer["errors"][0]
    assert error["path"] == ["names"]
    assert error["locations"]
    assert error["extensions"].keys() == {"code", "id"}
    assert [log["error_id"] for log in logs] == [error["extensions"]["id"]]
    assert "recipe" not in str(answer)


async def down(*_arguments: object) -> None:
    """What cannot be reached."""
    raise ConnectionRefusedError


async def test_an_outage_while_the_token_is_looked_up_can_be_retried(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schema.secrets.fetch_aside", down)
    response = await api.post({"query": "{ __typename }"})
    assert response.status_code == 503
    assert response.json()["errors"][0]["extensions"]["retryable"] is True


async def test_ingesting_is_retryable_if_each_event_has_an_external_id(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.ingest.group_commit.GroupCommit.submit", down)
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


async def test_a_request_is_retryable_if_everything_that_it_began_is(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("metering.ingest.group_commit.GroupCommit.submit", down)
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
