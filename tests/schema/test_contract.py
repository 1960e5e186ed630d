"""The schema keeps the contract, is printed in the repository, and explains itself."""

from collections.abc import Iterator
from pathlib import Path

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    build_schema,
)
from graphql.type import is_specified_scalar_type
from graphql.utilities import (
    BreakingChange,
    DangerousChange,
    DangerousChangeType,
    find_breaking_changes,
    find_dangerous_changes,
)

from resolvers.print_schema import printed_schema
from schema.permissions import Requires
from tests.schema_execution import GRAPHQL_SCHEMA

PRINTED = Path(__file__).parents[2] / "schema.graphql"
CONTRACT = build_schema((Path(__file__).parent / "contract.graphql").read_text())
OURS = GRAPHQL_SCHEMA


def objects() -> Iterator[GraphQLObjectType | GraphQLInterfaceType]:
    for type_ in OURS.type_map.values():
        if type_.name.startswith("__"):
            continue
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            yield type_


def test_nothing_of_the_contract_is_broken() -> None:
    changes: list[BreakingChange | DangerousChange] = [
        *find_breaking_changes(CONTRACT, OURS),
        # The contract lets everything be added; a default that changes is no addition.
        *(
            change
            for change in find_dangerous_changes(CONTRACT, OURS)
            if change.type is DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE
        ),
    ]
    assert [change.description for change in changes] == []


def test_the_printed_schema_is_the_schema() -> None:
    assert PRINTED.read_text() == printed_schema(), "run `make schema`"


def test_everything_has_a_description() -> None:
    silent = []
    for type_ in OURS.type_map.values():
        if type_.name.startswith("__") or is_specified_scalar_type(type_):
            continue
        if not type_.description:
            silent.append(type_.name)
        if isinstance(type_, GraphQLEnumType):
            silent += [
                f"{type_.name}.{name}" for name, v in type_.values.items() if not v.description
            ]
        if isinstance(type_, GraphQLInputObjectType):
            silent += [
                f"{type_.name}.{name}" for name, v in type_.fields.items() if not v.description
            ]
    for type_ in objects():
        for name, field in type_.fields.items():
            if not field.description:
                silent.append(f"{type_.name}.{name}")
            silent += [
                f"{type_.name}.{name}({argument})"
                for argument, value in field.args.items()
                if not value.description
            ]
    assert silent == []


def test_every_root_field_requires_a_scope() -> None:
    silent = []
    for root in (OURS.query_type, OURS.mutation_type, OURS.subscription_type):
        assert root is not None
        for name, field in root.fields.items():
            extensions = field.extensions["strawberry-definition"].extensions
            if sum(isinstance(extension, Requires) for extension in extensions) != 1:
                silent.append(f"{root.name}.{name}")
    assert silent == []


def test_every_list_that_can_grow_is_a_connection() -> None:
    allowed = {
        "CreditGrant.usage",
        "AccessToken.scopes",
        "Customer.balances",
        "Customer.quantities",
        "DimensionRate.values",
        "Event.meters",
        "EventName.metadataKeys",
        "EventsIngestPayload.receipts",
        "EventsVoidPayload.notFoundExternalIds",
        "EventsVoidPayload.notFoundIds",
        "Invoice.creditNotes",
        "Invoice.lines",
        "Me.scopes",
        "Meter.dimensions",
        "Meter.topCustomers",
        "MeterFilter.clauses",
        "MeterProgress.problems",
        "MeterQuantities.groups",
        "LineExplanation.credits",
        "LineExplanation.steps",
        "MeterQuantities.points",
        "MeteredPrice.examples",
        "MeteredPrice.rates",
        "MeteredPrice.tiers",
        "Organization.accessTokens",
        "PriceSimulation.benefits",
        "PriceSimulation.prices",
        "Product.benefits",
        "Product.prices",
        "Query.eventNames",
        "Query.nodes",
        "Query.priceExamples",
        "Query.search",
        "QuantityGroup.points",
        "QuantityGroup.values",
        "Revenue.points",
        "SimulatedCustomer.lines",
        "SubscriptionChangePreview.creditChanges",
        "SubscriptionChangePreview.lines",
        "UpcomingInvoice.lines",
        "UserError.path",
        "WebhookDelivery.attempts",
        "WebhookEndpoint.eventTypes",
    }
    lists = {
        f"{type_.name}.{name}"
        for type_ in objects()
        for name, field in type_.fields.items()
        if "[" in str(field.type) and not type_.name.endswith("Connection") and name != "userErrors"
    }
    assert lists == allowed
