"""Operations that came over HTTP: counted, found, run; and the refusals that HTTP has for them."""

from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, get_operation_ast
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from resolvers.schema import MetergraphSchema
from schema.context import Context
from schema.errors import (
    APIError,
    BadUserInput,
    PersistedQueryNotFound,
    PersistedQueryNotSupported,
    RateLimited,
    TooComplex,
)
from transport.failures import failure
from transport.http_request import GRAPHQL_JSON, JSON, HTTPError, Operation
from transport.http_response import response_body
from transport.persisted_queries import PersistedQueries
from transport.rate_limits import RateLimits

METHODS = {"GET": {OperationType.QUERY}, "POST": {OperationType.QUERY, OperationType.MUTATION}}


@dataclass(frozen=True)
class Operations:
    """Runs the operations of one application."""

    schema: MetergraphSchema
    rate_limits: RateLimits
    persisted: PersistedQueries

    async def limit(self, context: Context, operations: int = 1, *, counted: int = 0) -> None:
        """Counts the operations of a request; raises HTTPError 429 or 400 for too many."""
        try:
            await self.rate_limits.take(context.caller, operations, counted=counted)
        except RateLimited as error:
            raise HTTPError(429, error, {"retry-after": str(_retry_after(error))}) from None
        except TooComplex as error:
            raise HTTPError(400, error) from None

    async def document(self, sent: Operation, context: Context, media: str) -> str:
        """The document of an operation; raises HTTPError where there is none."""
        try:
            return await self.persisted.document(sent.query, sent.extensions, context.caller)
        except (PersistedQueryNotFound, PersistedQueryNotSupported) as error:
            raise HTTPError(400 if media == GRAPHQL_JSON else 200, error) from None
        except BadUserInput as error:
            raise HTTPError(400, error) from None

    async def body_of(self, sent: Operation, context: Context, method: str) -> dict[str, Any]:
        """The part of one operation in the answer to a batch."""
        try:
            query = await self.document(sent, context, JSON)
            return response_body(await self.run(query, sent, context, method))
        except HTTPError as refusal:
            return {"errors": [formatted(refusal.error)]}

    async def run(
        self, query: str, operation: Operation, context: Context, method: str
    ) -> ExecutionResult:
        """Runs an operation, of a kind that the method allows; raises HTTPError for others.

        A document that turns out to be valid is registered by the hash that came with it.
        """
        try:
            result = await self.schema.execute(
                query,
                variable_values=operation.variables,
                context_value=context,
                operation_name=operation.operation_name,
                operation_extensions=operation.extensions,
                allowed_operation_types=METHODS[method],
            )
        except CannotGetOperationTypeError as error:
            raise HTTPError(400, failure(error)) from None
        except InvalidOperationTypeError as error:
            if error.operation_type is OperationType.MUTATION:
                raise HTTPError(405, failure(error), {"allow": "POST"}) from None
            raise HTTPError(400, failure(error)) from None
        if operation.query and operation.extensions and self.schema.documents.knows(query):
            await self.persisted.register(query, operation.extensions, context.caller)
        return result

    def is_subscription(self, query: str, operation_name: str | None, context: Context) -> bool:
        """Whether an operation goes on until somebody ends it."""
        try:
            document = self.schema.documents.parse(query, anonymous=context.caller is None)
        except GraphQLError:
            return False
        operation = get_operation_ast(document, operation_name)
        kind = None if operation is None else operation.operation.value
        return kind == OperationType.SUBSCRIPTION.value


def formatted(error: APIError) -> Any:
    """An error as GraphQL writes it."""
    return error.formatted


def _retry_after(error: RateLimited) -> int:
    seconds: int = (error.extensions or {})["retryAfterSeconds"]
    return seconds
