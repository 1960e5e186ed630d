"""Operations that are run by a plan answer as Strawberry and graphql-core alone do."""

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import strawberry
from graphql import (
    DocumentNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    OperationDefinitionNode,
    OperationType,
    Visitor,
    parse,
    print_ast,
    visit,
)
from starlette.applications import Starlette
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from models import Organization
from resolvers.schema import MetergraphSchema, create_schema
from schema.context import Context, Identity, Scope
from schema.credentials import identify
from schema.plain_fields import PlainFieldsExecutor
from schema.secrets import Credential
from tests.graphql_client import Api
from tests.serving import new_token
from tests.tenancy.asking import own_id
from tests.tenancy.walking import walk
from tests.tenancy.world import Tenant, settled
from transport.http import GraphQLApplication
from transport.http_response import encode_json, response_body

ROOT = Path(__file__).parents[2]
SPANS = {
    "start": "2026-01-01T00:00:00Z",
    "end": "2026-02-01T00:00:00Z",
    "after": None,
    "interval": "DAY",
    "zone": "Europe/Paris",
    "timezone": "Europe/Paris",
}
# Of what is now, such as the instant through which everything is counted.
PRESENT = re.compile(r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z"')


def texts() -> Iterator[str]:
    """Everything in GraphQL that the pages, the README and the documentation have."""
    for path in sorted((ROOT / "web" / "src").rglob("*.ts*")):
        yield from re.findall(r"graphql\(`(.*?)`\)", path.read_text(), re.DOTALL)
    for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))):
        fenced = r"(?ms)^```graphql\n(.*?)^```$"
        yield from re.findall(fenced, path.read_text())


def operations() -> dict[str, str]:
    """The queries among them, each with its fragments."""
    definitions = [found for text in texts() for found in parse(text).definitions]
    fragments = {
        found.name.value: found
        for found in definitions
        if isinstance(found, FragmentDefinitionNode)
    }
    queries: dict[str, str] = {}
    for found in definitions:
        if isinstance(found, OperationDefinitionNode) and found.operation is OperationType.QUERY:
            used = list(_used(found, fragments))
            text = print_ast(DocumentNode(definitions=(found, *used)))
            queries[found.name.value if found.name else str(len(queries))] = text
    return queries


def _used(
    node: Any, fragments: dict[str, FragmentDefinitionNode]
) -> dict[FragmentDefinitionNode, None]:
    found: dict[FragmentDefinitionNode, None] = {}
    pending = [node]

    class Spreads(Visitor):
        def enter_fragment_spread(self, spread: FragmentSpreadNode, *_: Any) -> None:
            fragment = fragments[spread.name.value]
            if fragment not in found:
                found[fragment] = None
                pending.append(fragment)

    while pending:
        visit(pending.pop(), Spreads())
    return found


OPERATIONS = operations()
EVENT = {"name": "", "externalCustomerId": "c", "metadata": {"n": 1}}
WRONG = [
    """mutation ($events: [EventInput!]!) { eventsIngest(input: {events: $events}) {
      inserted receipts { index status error { code message path } } userErrors { code path }
    } }""",
    "mutation ($input: EventsIngestInput!) { eventsIngest(input: $input) { inserted rejected } }",
    """mutation ($n: String = "", $key: String) {
      a: meterCreate(input: {name: $n, filter: {clauses: []}, aggregation: {function: SUM}}) {
        meter { id } userErrors { code message path }
      }
      b: customerCreate(input: {name: "\\u0000", idempotencyKey: $key}) { userErrors { code } }
    }""",
    "query ($n: Int) { events(first: $n) { nodes { id } } meters(last: $n) { nodes { name } } }",
    "query ($n: Int!) { customers(first: $n) { nodes { meters { nodes { id balance } } } } }",
    """query ($ids: [ID!]!, $deep: Boolean! = false) { nodes(ids: $ids) { id
      ... on Meter @include(if: $deep) { name events(first: 100) { totalCount } }
    } }""",
    "query ($f: EventFilter) { events(first: 1, filter: $f) { totalCount nodes { name } } }",
]
VARIABLES: list[dict[str, Any]] = [
    {},
    {"events": [EVENT], "n": 3, "ids": [], "f": {"names": ["a"]}},
    {"events": EVENT, "n": 101, "ids": "x", "f": {"names": "a", "where": {"clauses": []}}},
    {"events": [{**EVENT, "x": 1}], "n": "3", "ids": ["a", "b"], "deep": True, "f": None},
    {"events": [{"name": "n"}], "n": None, "ids": [None], "deep": None, "f": {"x": {}}},
    {"events": [{**EVENT, "timestamp": "noon"}], "n": 2**31, "ids": ["x"] * 6_000, "f": []},
    {"events": None, "input": {"events": [EVENT]}, "n": 0, "ids": ["x"] * 90, "deep": True},
    {"input": {"events": [EVENT] * 10_001}, "n": -1, "key": "\0", "unknown": 1},
    {"input": {"events": [{**EVENT, "metadata": {"a": "\0"}}], "onInvalid": "X"}, "n": 1.5},
]


class Both:
    """Runs operations both ways, for one caller."""

    def __init__(self, application: Starlette, caller: Identity) -> None:
        graphql: GraphQLApplication = application.state.graphql
        schema: Any = graphql.schema
        self.schema: MetergraphSchema = schema
        self._services = graphql.services
        self._caller = caller
        self._plain = create_schema(graphql.settings)
        self._plain.execution_context_class = StrawberryGraphQLCoreExecutionContext

    @property
    def context(self) -> Context:
        return Context(services=self._services, caller=self._caller)

    async def by_graphql_core(self, text: str, variables: dict[str, Any]) -> str:
        result = await strawberry.Schema.execute(self._plain, text, variables, self.context)
        return _shown(result)

    async def by_plan(self, text: str, variables: dict[str, Any]) -> str:
        result = await self.schema.execute(text, variables, self.context)
        return _shown(result)

    async def compare(self, text: str, variables: dict[str, Any]) -> str:
        """Checks that all runs answer the same: without a plan, before one is made, and by it."""
        expected = await self.by_graphql_core(text, variables)
        for _ in range(2):
            assert await self.by_plan(text, variables) == expected, text
        return expected


def _shown(result: Any) -> str:
    return PRESENT.sub('"now"', encode_json(response_body(result)))


@pytest.fixture
async def tenant(api: Api, organization: Organization) -> Tenant:
    return await settled(api, organization, "own")


@pytest.fixture
async def both(application: Starlette, api: Api) -> Both:
    graphql: GraphQLApplication = application.state.graphql
    caller = await identify(Credential(api.secret), graphql.services.secrets)
    return Both(application, caller)


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was run by a plan."""
    found: list[str] = []
    original = PlainFieldsExecutor.answer

    async def noting(self: PlainFieldsExecutor) -> Any:
        found.append(self.operation.operation.value)
        return await original(self)

    monkeypatch.setattr(PlainFieldsExecutor, "answer", noting)
    return found


def test_there_are_operations() -> None:
    assert len(OPERATIONS) > 50


def variables(text: str, tenant: Tenant, id_: str) -> dict[str, Any]:
    """Values for the variables of an operation, as far as their names and types are known."""
    values = {"ID!": id_, "Boolean!": True, "String!": tenant.customer}
    declared = re.findall(r"\$(\w+): ([\w!\[\]]+)", text)
    return {
        name: SPANS.get(name, values.get(type_))
        for name, type_ in declared
        if name in SPANS or type_ in values
    }


async def test_the_operations_of_the_pages_and_of_the_documentation(
    tenant: Tenant, both: Both, planned: list[str]
) -> None:
    ids = [tenant.ids[name] for name in ("Customer", "Meter", "Product", "Invoice")]
    for text in OPERATIONS.values():
        for id_ in ids if "ID!" in text else ids[:1]:
            await both.compare(text, variables(text, tenant, id_))
    assert len(planned) > len(OPERATIONS)


@pytest.mark.parametrize("document", WRONG)
async def test_what_is_refused(tenant: Tenant, both: Both, document: str) -> None:
    """By the limits, for its variables, or by the mutation itself, which then changes nothing."""
    for sent in VARIABLES:
        await both.compare(document, sent)


async def test_every_field_of_every_type(tenant: Tenant, both: Both) -> None:
    compared = 0
    async for step in walk(tenant.api, "Query", "%s", partial(own_id, tenant)):
        await both.compare(step.document, {})
        compared += 1
    assert compared > 120


async def test_callers_who_may_not_read_it(
    tenant: Tenant, application: Starlette, organization: Organization
) -> None:
    secret = await new_token(organization, Scope.EVENTS_WRITE)
    graphql: GraphQLApplication = application.state.graphql
    both = Both(application, await identify(Credential(secret), graphql.services.secrets))
    seen = [
        await both.compare(text, {})
        for text in OPERATIONS.values()
        if not re.search(r"\$\w+: \[?\w+!?\]?!", text)
    ]
    assert any('"FORBIDDEN"' in answer for answer in seen)
