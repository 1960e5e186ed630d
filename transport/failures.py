"""Turns unexpected exceptions into what the client may see.

A bug is logged with an id, and the client sees only the id. An outage of the database is
`retryable` if repeating the request does nothing twice (`schema.repeating`). If a statement was cut
off, the caller has to change the request.
"""

import re
import secrets

import asyncpg
import structlog
from graphql import GraphQLError, GraphQLSyntaxError
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types.graphql import OperationType

from schema import repeating
from schema.errors import APIError, BadUserInput, Internal, TooComplex
from transport.http_request import EVENT_STREAM
from waiting.outages import is_outage

log = structlog.get_logger("metergraph.graphql")

# Queries may be sent with any method.
_NOT_HERE = {
    OperationType.MUTATION: "Mutations need POST",
    OperationType.SUBSCRIPTION: f"Subscriptions need a WebSocket, or `Accept: {EVENT_STREAM}`",
}
_MAX_MESSAGE = 1_000
_SUGGESTION = re.compile(r" Did you mean [^?]{1,500}\?")  # with at most five names
_ABORTED = "Parsing aborted."  # too many tokens, or nested too deeply
_NOT_INTEGER = "<Decimal instance>"  # how graphql-core quotes a variable's value


def present(error: GraphQLError, *, suggesting: bool = True) -> GraphQLError:
    """Returns an error as the client may see it: with a code and without internals.

    Unless `suggesting`, it does not suggest names of the schema.
    """
    if error.extensions and "code" in error.extensions:
        return error
    cause = error.original_error
    if cause is not None and not isinstance(cause, GraphQLError):
        shown = failure(cause)
        return GraphQLError(
            shown.message, nodes=error.nodes, path=error.path, extensions=shown.extensions
        )
    # graphql-core found it, in the document or the variables.
    too_much = isinstance(error, GraphQLSyntaxError) and error.message.endswith(_ABORTED)
    code = TooComplex.code if too_much else BadUserInput.code
    error.extensions = {**(error.extensions or {}), "code": code}
    if not suggesting:
        error.message = _SUGGESTION.sub("", error.message)
    error.message = error.message.replace(
        _NOT_INTEGER, "a number with a point or an exponent, or of too many digits"
    )
    error.message = _cut(error.message)
    return error


def _cut(message: str) -> str:
    """Shortens a message, which may quote what was sent."""
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]}…"


def failure(cause: BaseException) -> APIError:
    """Returns what the client sees of an exception; logs the rest under a new id."""
    if isinstance(cause, APIError):
        return cause
    if isinstance(cause, CannotGetOperationTypeError):
        return BadUserInput(_cut(cause.as_http_error_reason()))
    if isinstance(cause, InvalidOperationTypeError):
        return BadUserInput(_NOT_HERE[cause.operation_type])
    if isinstance(cause, asyncpg.QueryCanceledError):
        return _too_long("This took too long and was cut off", ": ask for less, or a shorter range")
    if is_outage(cause):
        # The database's client logs the outage once for all requests.
        log.debug("database unavailable", reason=repr(cause))
        return _passing("The database is unavailable at the moment")
    identifier = secrets.token_hex(8)
    log.error("internal error", error_id=identifier, exc_info=cause)
    return Internal(f"Internal error. Its id in the log is {identifier}.", id=identifier)


def cut_off() -> Internal:
    """Returns the error of a request that is cut off because the process stops."""
    identifier = secrets.token_hex(8)
    log.warning("request cut off because the process stops", error_id=identifier)
    return _passing("The server is stopping", identifier)


def took_too_long(seconds: float) -> APIError:
    """Returns the error of an operation that was cut off after `seconds`."""
    return _too_long(f"The request took longer than {seconds:g} seconds")


def _too_long(reason: str, advice: str = "") -> APIError:
    """Returns the error of an operation that was cut off; its advice is for queries."""
    if not repeating.has_begun():
        return TooComplex(f"{reason}{advice}")
    # A mutation cannot ask for less.
    identifier = secrets.token_hex(8)
    log.warning("mutation cut off because it took too long", error_id=identifier)
    return _passing(reason, identifier)


def _passing(reason: str, identifier: str | None = None) -> Internal:
    """Returns the error of a temporary failure, which says whether to try again.

    `identifier` names the log's line about this request, if there is one.
    """
    retryable = repeating.may_repeat()
    advice = "try again" if retryable else repeating.LOOK_FIRST
    message = f"{reason}: {advice}."
    if identifier is None:
        return Internal(message, retryable=retryable)
    return Internal(f"{message} Id {identifier} in the log.", id=identifier, retryable=retryable)
