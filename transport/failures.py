"""What the client sees of exceptions that nobody meant it to see.

A bug is logged with an id, and the client sees the id only. An outage of the database is said to
be `retryable` where sending the request again can do nothing twice (`schema.repeating`). A
statement that was cut off is the caller's to mend.
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

# Queries can be sent in any way.
_NOT_HERE = {
    OperationType.MUTATION: "Mutations need POST",
    OperationType.SUBSCRIPTION: f"Subscriptions need a WebSocket, or `Accept: {EVENT_STREAM}`",
}
_MAX_MESSAGE = 1_000
_SUGGESTION = re.compile(r" Did you mean [^?]{1,500}\?")  # of five names at most
_ABORTED = "Parsing aborted."  # too many tokens, or nested too deeply
_NOT_INTEGER = "<Decimal instance>"  # how graphql-core quotes one that a variable has


def present(error: GraphQLError, *, suggesting: bool = True) -> GraphQLError:
    """The error of a result as the client may see it: with a code, and without internals.

    Not `suggesting`, it does not say either which names of the schema may have been meant.
    """
    if error.extensions and "code" in error.extensions:
        return error
    cause = error.original_error
    if cause is not None and not isinstance(cause, GraphQLError):
        shown = failure(cause)
        return GraphQLError(
            shown.message, nodes=error.nodes, path=error.path, extensions=shown.extensions
        )
    # graphql-core itself found it, in the document or in the variables.
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
    """The beginning of a message that quotes what was sent."""
    return message if len(message) <= _MAX_MESSAGE else f"{message[:_MAX_MESSAGE]}…"


def failure(cause: BaseException) -> APIError:
    """What the client sees of an exception; the rest is logged under a new id."""
    if isinstance(cause, APIError):
        return cause
    if isinstance(cause, CannotGetOperationTypeError):
        return BadUserInput(_cut(cause.as_http_error_reason()))
    if isinstance(cause, InvalidOperationTypeError):
        return BadUserInput(_NOT_HERE[cause.operation_type])
    if isinstance(cause, asyncpg.QueryCanceledError):
        return _too_long("This took too long and was cut off", ": ask for less, or a shorter range")
    if is_outage(cause):
        # The database's client logs it, once for all requests.
        log.debug("database out of reach", reason=repr(cause))
        return _passing("The database cannot be used at the moment")
    identifier = secrets.token_hex(8)
    log.error("internal error", error_id=identifier, exc_info=cause)
    return Internal(f"Internal error. Its id in the log is {identifier}.", id=identifier)


def cut_off() -> Internal:
    """What the client sees of a request that the end of the process cuts off."""
    identifier = secrets.token_hex(8)
    log.warning("request cut off by the end of the process", error_id=identifier)
    return _passing("The server stops", identifier)


def took_too_long(seconds: float) -> APIError:
    """What the client sees of an operation that had so many seconds, and was cut off."""
    return _too_long(f"The request took longer than {seconds:g} seconds")


def _too_long(reason: str, advice: str = "") -> APIError:
    """What the client sees of what was cut off; the advice is for who can ask for less."""
    if not repeating.has_begun():
        return TooComplex(f"{reason}{advice}")
    # Nobody can ask a mutation for less.
    identifier = secrets.token_hex(8)
    log.warning("mutation cut off, because it took too long", error_id=identifier)
    return _passing(reason, identifier)


def _passing(reason: str, identifier: str | None = None) -> Internal:
    """What the client sees of something that will be over soon: whether to try again.

    With an `identifier`, where the log has a line about this very request.
    """
    retryable = repeating.may_repeat()
    advice = "try again" if retryable else repeating.LOOK_FIRST
    message = f"{reason}: {advice}."
    if identifier is None:
        return Internal(message, retryable=retryable)
    return Internal(f"{message} Id {identifier} in the log.", id=identifier, retryable=retryable)
