"""Builds the schema from its root types, with the extensions that run around operations."""

from collections.abc import Iterable
from typing import Any

import strawberry
from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    Undefined,
)
from strawberry.schema.config import StrawberryConfig
from strawberry.types import ExecutionResult
from strawberry.types.execution import ExecutionContext
from strawberry.types.graphql import OperationType

from config.settings import Settings
from resolvers.mutations.access_tokens import AccessTokenMutation
from resolvers.mutations.alerts import AlertMutation
from resolvers.mutations.customer_erasing import CustomerErasingMutation
from resolvers.mutations.customer_sessions import CustomerSessionMutation
from resolvers.mutations.customers import CustomerMutation
from resolvers.mutations.events_ingest import EventsIngestMutation
from resolvers.mutations.events_void import EventsVoidMutation
from resolvers.mutations.invoices import InvoiceMutation
from resolvers.mutations.meters import MeterMutation
from resolvers.mutations.organization import OrganizationMutation
from resolvers.mutations.price_simulations import PriceSimulationMutation
from resolvers.mutations.products import ProductMutation
from resolvers.mutations.subscriptions import SubscriptionMutation
from resolvers.mutations.webhooks import WebhookMutation
from resolvers.queries.alerts import AlertQuery
from resolvers.queries.audit_log import AuditLogQuery
from resolvers.queries.billing import BillingQuery
from resolvers.queries.customers import CustomerQuery
from resolvers.queries.events import EventsQuery
from resolvers.queries.meters import MeterQuery
from resolvers.queries.nodes import NodeQuery
from resolvers.queries.organization import OrganizationQuery
from resolvers.queries.price_simulations import PriceSimulationQuery
from resolvers.queries.search import SearchQuery
from resolvers.queries.usage_check import UsageCheckQuery
from resolvers.queries.webhooks import WebhookQuery
from resolvers.subscriptions.alerts import AlertSubscriptions
from resolvers.subscriptions.events import EventSubscriptions
from resolvers.subscriptions.usage import UsageSubscriptions
from schema.context import Context
from schema.plans import EXTENSION
from schema.scalars import SCALARS
from schema.types.price import FixedPrice, MeteredPrice
from transport.documents import Documents
from transport.failures import present
from transport.lifecycle import Lifecycle
from transport.lifted_events import LiftingExecutor
from transport.limits import Limits

DESCRIPTION = """\
Metergraph is usage-based billing. An application sends events. Meters filter and aggregate them. \
Metered prices charge for what the meters counted, less credit.

Every number is exact: quantities are decimals as strings, and amounts are integers in minor units \
(cents). Instants are ISO 8601 in UTC. Lists that can grow are Relay connections, with 50 objects \
to a page unless `first` or `last` says otherwise, and 100 at most.

Send `Authorization: Bearer mg_…`. Mutations report problems that the caller can correct in \
`userErrors`; all other errors are in `errors`, with `extensions.code`. The repository's \
docs/api.md has the rest.\
"""


@strawberry.type(description="Queries, which read data.")
class Query(
    NodeQuery,
    OrganizationQuery,
    CustomerQuery,
    EventsQuery,
    MeterQuery,
    BillingQuery,
    PriceSimulationQuery,
    AlertQuery,
    SearchQuery,
    UsageCheckQuery,
    WebhookQuery,
    AuditLogQuery,
):
    pass


@strawberry.type(
    description="Mutations, which change data. Each takes one input, and reports problems with "
    "it in `userErrors`."
)
class Mutation(
    EventsIngestMutation,
    EventsVoidMutation,
    MeterMutation,
    CustomerMutation,
    CustomerErasingMutation,
    CustomerSessionMutation,
    AccessTokenMutation,
    OrganizationMutation,
    ProductMutation,
    PriceSimulationMutation,
    SubscriptionMutation,
    InvoiceMutation,
    WebhookMutation,
    AlertMutation,
):
    pass


@strawberry.type(description="Subscriptions, which send changes as they happen.")
class Subscription(UsageSubscriptions, EventSubscriptions, AlertSubscriptions):
    pass


_ANSWERED = frozenset({OperationType.QUERY, OperationType.MUTATION})


class MetergraphSchema(strawberry.Schema):
    """Strawberry's schema, with our limits, errors and ingestion. One per process."""

    def __init__(
        self,
        limits: Limits | None = None,
        *,
        introspection: bool = True,
        listed: frozenset[str] | None = None,
    ) -> None:
        self.documents = Documents(limits or Limits(), introspection=introspection, listed=listed)
        super().__init__(
            query=Query,
            mutation=Mutation,
            subscription=Subscription,
            # Reachable only through an interface, where Strawberry does not look.
            types=[FixedPrice, MeteredPrice],
            extensions=[lambda: Lifecycle(self.documents)],
            execution_context_class=LiftingExecutor,
            config=StrawberryConfig(scalar_map=SCALARS),
        )
        self._schema.description = DESCRIPTION
        self._schema.extensions[EXTENSION] = self.documents.plans
        for graphql_type in self._schema.type_map.values():
            _drop_null_defaults(graphql_type)
            _let_graphql_core_check_one_of(graphql_type)

    def mistakes(self, text: str) -> list[GraphQLError]:
        """Returns a document's errors for any caller, except those that depend on variables."""
        try:
            document = self.documents.parse(text, anonymous=False)
        except GraphQLError as error:
            return [error]
        return self.documents.validate(text, self._schema, document)

    async def execute(  # Strawberry's signature
        self,
        query: str | None,
        variable_values: dict[str, Any] | None = None,
        context_value: Any = None,
        root_value: Any = None,
        operation_name: str | None = None,
        allowed_operation_types: Iterable[OperationType] | None = None,
        operation_extensions: dict[str, Any] | None = None,
    ) -> ExecutionResult:
        """Runs a query or a mutation, by its plan if it was run before and nothing is wrong."""
        if query is not None and root_value is None:
            result = await self._execute_prepared(
                query,
                variable_values,
                context_value,
                operation_name,
                allowed_operation_types,
                operation_extensions,
            )
            if result is not None:
                return result
        return await super().execute(
            query,
            variable_values,
            context_value,
            root_value,
            operation_name,
            allowed_operation_types,
            operation_extensions,
        )

    async def _execute_prepared(
        self,
        query: str,
        variables: dict[str, Any] | None,
        context: Context | None,
        operation_name: str | None,
        allowed: Iterable[OperationType] | None,
        operation_extensions: dict[str, Any] | None,
    ) -> ExecutionResult | None:
        """Returns the result of a prepared operation; None if Strawberry has to run or refuse it.

        Strangers' documents have limits of their own.
        """
        if context is None or context.caller is None:
            return None
        prepared = self.documents.prepared(query, self._schema, operation_name)
        if prepared is None or prepared.type not in (_ANSWERED if allowed is None else allowed):
            return None
        limits = self.documents.limits
        cost = prepared.allowed_cost(variables, limits)
        if cost is None:
            return None
        executor = LiftingExecutor.of_plan(
            prepared.plan, variables or {}, context, operation_extensions
        )
        if executor is None:
            return None
        extensions = {"cost": {"requested": cost, "maximum": limits.cost}}
        result = await executor.answer()
        if result.errors:
            self.process_errors(result.errors)
        return ExecutionResult(result.data, result.errors, extensions)

    def process_errors(
        self,
        errors: list[GraphQLError],
        execution_context: ExecutionContext | None = None,  # noqa: ARG002  # Strawberry's signature
    ) -> None:
        """Replaces the errors of a result with what the client may see of them."""
        suggesting = self.documents.introspection
        errors[:] = [present(error, suggesting=suggesting) for error in errors]


def _let_graphql_core_check_one_of(graphql_type: Any) -> None:
    """Removes Strawberry's own check of @oneOf, which gives no location and ignores fragments."""
    if isinstance(graphql_type, GraphQLInputObjectType):
        definition = graphql_type.extensions.get("strawberry-definition")
        if definition is not None and definition.is_one_of:
            graphql_type.is_one_of = True
            graphql_type.out_type = GraphQLInputObjectType.out_type  # type: ignore[method-assign]  # an attribute there, too


def _drop_null_defaults(graphql_type: Any) -> None:
    """Removes defaults of null: Python's `= None` only means that an argument may be left out."""
    values: list[Any] = []
    if isinstance(graphql_type, GraphQLInputObjectType):
        values = list(graphql_type.fields.values())
    elif isinstance(graphql_type, GraphQLObjectType | GraphQLInterfaceType):
        values = [arg for field in graphql_type.fields.values() for arg in field.args.values()]
    for value in values:
        if value.default_value is None:
            value.default_value = Undefined


def create_schema(
    settings: Settings | None = None, listed: frozenset[str] | None = None
) -> MetergraphSchema:
    """Builds the schema with the limits in the settings, for `listed` documents only if given."""
    if settings is None:
        return MetergraphSchema()
    limits = Limits(
        cost=settings.max_query_cost,
        depth=settings.max_query_depth,
        tokens=settings.max_query_tokens,
    )
    return MetergraphSchema(limits, introspection=settings.introspection, listed=listed)
