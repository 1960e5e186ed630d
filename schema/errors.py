"""Errors: problems that the caller can correct are values, all others are one tree of exceptions.

`UserError` is data: a mutation returns it. Everything below `APIError` ends a field and stands
in the response's `errors` with `extensions.code`. Any other exception is a bug or an outage: see
`transport.failures`.

    APIError
      Unauthenticated    UNAUTHENTICATED   no token, or one that is unknown, revoked or expired
      Forbidden          FORBIDDEN         the token may not do this
      BadUserInput       BAD_USER_INPUT    the request is malformed
      NotFound           NOT_FOUND         what an argument names does not exist
      CursorExpired      CURSOR_EXPIRED    a restored database has undone what a cursor stands for
      RateLimited        RATE_LIMITED      too many requests; `retryAfterSeconds` says how long
      PersistedQueryNotFound  PERSISTED_QUERY_NOT_FOUND  send hash and document together
      PersistedQueryNotSupported  PERSISTED_QUERY_NOT_SUPPORTED  send documents, without hashes
      TooComplex         TOO_COMPLEX       the operation would cost more than is allowed
      AmountTooLarge     AMOUNT_TOO_LARGE  an amount is too large for clients to read exactly
      EventsArchived     EVENTS_ARCHIVED   the answer would need events that are archived
      EventsErased       EVENTS_ERASED     the answer would need what was erased with a customer
      Internal           INTERNAL          our fault; `id` is in the log
"""

# ruff: noqa: N818  # the errors are named for their codes

import enum
from typing import Any, ClassVar

import strawberry
from graphql import GraphQLError

from metering.problems import Problem
from metering.usage.windows import EventsArchivedError, RangeError


class APIError(GraphQLError):
    """An error of a whole field or request, with the code that clients branch on."""

    code: ClassVar[str] = "INTERNAL"

    def __init__(self, message: str, **extensions: Any) -> None:
        super().__init__(message, extensions={"code": self.code, **extensions})


class Unauthenticated(APIError):
    """There is no token, or it is unknown, revoked or expired."""

    code = "UNAUTHENTICATED"


class Forbidden(APIError):
    """The token is good but may not do this."""

    code = "FORBIDDEN"


class BadUserInput(APIError):
    """The request is malformed: an argument, a cursor, a variable."""

    code = "BAD_USER_INPUT"


def bad_input(found: Problem) -> BadUserInput:
    """Returns a problem of an argument as an error; for queries, which have no userErrors."""
    path, message = list(found.path), found.message.removesuffix(".")
    return BadUserInput(f"{message} (at `{'.'.join(path)}`)", path=path)


class NotFound(APIError):
    """What an argument names does not exist in the token's organization."""

    code = "NOT_FOUND"


class CursorExpired(APIError):
    """The database was restored, so a subscription cannot go on where its cursor is."""

    code = "CURSOR_EXPIRED"


class RateLimited(APIError):
    """The token or its organization makes too many requests."""

    code = "RATE_LIMITED"


class PersistedQueryNotFound(APIError):
    """No document with this hash is stored. Protocol and message are Apollo's."""

    code = "PERSISTED_QUERY_NOT_FOUND"


class PersistedQueryNotSupported(APIError):
    """No document has this hash, and the caller may not register one. The message is Apollo's."""

    code = "PERSISTED_QUERY_NOT_SUPPORTED"


class TooComplex(APIError):
    """The operation is larger, or would take longer, than is allowed."""

    code = "TOO_COMPLEX"


class AmountTooLarge(APIError):
    """An amount is too large for clients to read exactly."""

    code = "AMOUNT_TOO_LARGE"


class EventsArchived(APIError):
    """The answer would need events that are archived."""

    code = "EVENTS_ARCHIVED"


class EventsErased(APIError):
    """The answer would need what events lost when their customer was erased."""

    code = "EVENTS_ERASED"


def bad_range(error: RangeError) -> APIError:
    """Returns the error of a range that cannot be read."""
    kind = EventsArchived if isinstance(error, EventsArchivedError) else BadUserInput
    return kind(str(error), path=[error.argument])


class Internal(APIError):
    """A bug or an outage on our side. The log has the reason under the same `id`."""

    code = "INTERNAL"


@strawberry.enum(description="The kind of a UserError.")
class ErrorCode(enum.Enum):
    INVALID = strawberry.enum_value("INVALID", description="The value breaks a rule.")
    NOT_FOUND = strawberry.enum_value(
        "NOT_FOUND", description="The object does not exist in your organization."
    )
    ALREADY_EXISTS = strawberry.enum_value(
        "ALREADY_EXISTS", description="The value must be unique and is already taken."
    )
    CONFLICT = strawberry.enum_value(
        "CONFLICT",
        description="Another event has this externalId, or the idempotencyKey was used for "
        "something else.",
    )
    METER_LOCKED = strawberry.enum_value(
        "METER_LOCKED",
        description="The meter has counted events, so its filter and aggregation cannot change.",
    )
    IN_USE = strawberry.enum_value(
        "IN_USE", description="Something else still depends on the object."
    )
    LIMIT_EXCEEDED = strawberry.enum_value(
        "LIMIT_EXCEEDED", description="The value is too large, or there are too many values."
    )
    EVENTS_ARCHIVED = strawberry.enum_value(
        "EVENTS_ARCHIVED",
        description="Events of that time are archived: see `Organization.eventsFrom`.",
    )


@strawberry.type(description="A problem with the input that the caller can correct.")
class UserError:
    code: ErrorCode = strawberry.field(description="The kind of problem.")
    message: str = strawberry.field(description="A sentence for people that explains the problem.")
    path: list[str] = strawberry.field(
        description='The path from `input` to the value at fault, such as ["events", "3", '
        '"metadata"].'
    )

    @classmethod
    def of(cls, problem: Problem) -> "UserError":
        """Makes a UserError of a problem; its path starts at `input`."""
        return cls(code=ErrorCode[problem.code], message=problem.message, path=list(problem.path))


def user_errors() -> Any:
    """The field `userErrors`, which every payload has."""
    return strawberry.field(
        default_factory=list,
        description="Problems with the input. Empty if the mutation succeeded.",
    )
