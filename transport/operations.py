"""Counts, finds and runs operations that come over HTTP, and refuses them with HTTP's statuses."""

from dataclasses import dataclass
from typing import Any

from graphql import GraphQLError, get_operation_ast
from strawberry.schema.exceptions import CannotGetOperationTypeError, InvalidOperationTypeError
from strawberry.types import ExecutionResult
from strawberry.types.graphql import OperationType

from resolvers.schema import MetergraphSchema
from schema.context import Context, Identity
from schema.errors import (
    BadUserInput,
    PersistedQueryNotFound,
    PersistedQueryNotSupported,
    RateLimited,
    TooComplex,
)
from transport.failures import failure
from transport.http_request import GRAPHQL_JSON, JSON, HTTPError, Operation
from transport.http_response import response_body
from transport.measured_requests import MeasuredRequests
from transport.persisted_queries import PersistedQueries
from transport.rate_limits import RateLimits

METHODS = {"GET": {OperationType.QUERY}, "POST": {OperationType.QUERY, OperationType.MUTATION}}


@dataclass(frozen=True)
class Operations:
    """Runs the operations of one application."""

    schema: MetergraphSchema
    rate_limits: RateLimits
    persisted: PersistedQueries
    requests: MeasuredRequests

    async def limit(
        self, caller: Identity | None, operations: int = 1, *, counted: int = 0
    ) -> None:
        """Counts a request's operations; raises HTTPError 429 or 400 for too many."""
        try:
            await self.rate_limits.take(caller, operations, counted=counted)
        except RateLimited as error:
            raise HTTPError(429, error, {"retry-after": str(_retry_after(error))}) from None
        except TooComplex as error:
            raise HTTPError(400, error) from None

    async def document(self, sent: Operation, context: Context, media: str) -> str:
        """Returns the document of an operation; raises HTTPError if there is none."""
        try:
            return await self.persisted.document(sent.query, sent.extensions, context.caller)
        except (PersistedQueryNotFound, PersistedQueryNotSupported) as error:
            raise HTTPError(400 if media == GRAPHQL_JSON else 200, error) from None
        except BadUserInput as error:
            raise HTTPError(400, error) from None

    async def body_of(self, sent: Operation, context: Context, method: str) -> dict[str, Any]:
        """Returns one operation's part of the answer to a batch."""
        try:
            query = await self.document(sent, context, JSON)
            return response_body(await self.run(query, sent, context, method))
        except HTTPError as refusal:
            self.requests.failed(refusal.error)
            return {"errors": [refusal.error.formatted]}

    async def run(
        self, query: str, operation: Operation, context: Context, method: str
    ) -> ExecutionResult:
        """Runs an operation; raises HTTPError if the method does not allow its kind.

        Registers a valid document by the hash that came with it.
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
        if result.errors:
            self.requests.failed(*result.errors)
        if operation.query and operation.extensions and self.schema.documents.knows(query):
            await self.persisted.register(query, operation.extensions, context.caller)
        return result

    def is_subscription(self, query: str, operation_name: str | None, context: Context) -> bool:
        """Whether an operation is a subscription, which goes on until one side ends it."""
        try:
            document = self.schema.documents.parse(query, anonymous=context.caller is None)
        except GraphQLError:
            return False
        operation = get_operation_ast(document, operation_name)
        kind = None if operation is None else operation.operation.value
        return kind == OperationType.SUBSCRIPTION.value


def _retry_after(error: RateLimited) -> int:
    seconds: int = (error.extensions or {})["retryAfterSeconds"]
    return seconds
