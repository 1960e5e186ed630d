"""Any JSON at all as events, filters and aggregations: receipts, messages, never an SQL error."""

import json
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from metering.language.aggregations import AggregationFunction
from metering.language.filters import ClauseOperator
from models import Meter, exact_json
from tests.effort import examples
from tests.ingesting import catch_up_all, drain
from tests.tenancy.world import Tenant

SETTINGS = examples(60)

_any_text = st.text(
    st.characters(exclude_categories=()), max_size=30
)  # NUL and lone surrogates among them
_any_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(10**60), 10**60)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | _any_text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_any_text, inner, max_size=4),
    max_leaves=12,
)
_instant = st.datetimes().map(lambda at: f"{at.isoformat()}Z")
_event = st.fixed_dictionaries(
    {"name": _any_text | st.just("ai")},
    optional={
        "customerId": _any_text,
        "externalCustomerId": _any_text | st.just("own-customer"),
        "externalId": _any_text,
        "timestamp": _instant,
        "metadata": st.dictionaries(_any_text, _any_json, max_size=4),
    },
)
_property = st.sampled_from(["name", "timestamp", "tokens", "metadata.name", "a.b", ""]) | _any_text
_operator = st.sampled_from([operator.value for operator in ClauseOperator])
_clause_value = (
    st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.decimals(allow_nan=False, allow_infinity=False)
    | _any_text
    | _instant
)
_clause = st.fixed_dictionaries(
    {"property": _property, "operator": _operator},
    optional={"value": _clause_value, "text": _any_text},
).map(lambda clause: {"clause": clause})
_filter = st.recursive(
    st.fixed_dictionaries({"clauses": st.lists(_clause, max_size=4)}),
    lambda inner: st.fixed_dictionaries(
        {
            "conjunction": st.sampled_from(["AND", "OR"]),
            "clauses": st.lists(_clause | inner.map(lambda found: {"filter": found}), max_size=3),
        }
    ),
    max_leaves=5,
)
_aggregation = st.fixed_dictionaries(
    {"function": st.sampled_from([function.value for function in AggregationFunction])},
    optional={"property": _property},
)

EVENTS = """mutation ($input: EventsIngestInput!) {
  eventsIngest(input: $input) { receipts { index status error { message path } } }
}"""
METER = """mutation ($input: MeterCreateInput!) {
  meterCreate(input: $input) { meter { id } userErrors { message } }
}"""
ARCHIVE = """mutation ($input: MeterArchiveInput!) {
  meterArchive(input: $input) { userErrors { message } }
}"""
USED = """query ($filter: MeterFilterInput!, $aggregation: MeterAggregationInput!) {
  meterPreview(filter: $filter, aggregation: $aggregation) {
    matchedEvents skippedEvents quantity events(first: 5) { nodes { id } }
  }
  events(first: 5, filter: {where: $filter}) { totalCount nodes { id } }
}"""


async def answered(tenant: Tenant, query: str, **variables: Any) -> Any:
    """The answer, without an error of ours."""
    answer = exact_json.loads(
        (await tenant.api.post(as_json({"query": query, "variables": variables}))).content
    )
    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
    assert codes <= {"BAD_USER_INPUT", "NOT_FOUND", "TOO_COMPLEX"}, answer
    return answer.get("data")


def as_json(value: Any) -> str:
    """JSON in ASCII with exact numbers: lone surrogates are legal as escapes."""
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(k)}:{as_json(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(as_json, value)) + "]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value)


@SETTINGS
@given(
    events=st.lists(_event, max_size=4), policy=st.sampled_from(["REJECT_BATCH", "SKIP_INVALID"])
)
async def test_every_event_gets_a_receipt(tenant: Tenant, events: list[Any], policy: str) -> None:
    data = await answered(tenant, EVENTS, input={"events": events, "onInvalid": policy})
    if data is not None:
        receipts = data["eventsIngest"]["receipts"]
        assert [receipt["index"] for receipt in receipts] == list(range(len(events)))
        assert all(
            (receipt["error"] is None)
            == (receipt["status"] in {"INSERTED", "DUPLICATE", "SKIPPED"})
            for receipt in receipts
        )


@SETTINGS
@given(asked=_filter, aggregation=_aggregation, events=st.lists(_event, max_size=3))
async def test_every_filter_is_carried_out_or_refused(
    tenant: Tenant, asked: Any, aggregation: Any, events: list[Any]
) -> None:
    await answered(tenant, USED, filter=asked, aggregation=aggregation)
    meter = {"name": "any", "filter": asked, "aggregation": aggregation}
    made = await answered(tenant, METER, input=meter)
    await answered(tenant, EVENTS, input={"events": events, "onInvalid": "SKIP_INVALID"})
    key = tenant.organization.id
    await drain(key)
    await catch_up_all(key)
    behind = Meter.filter(organization_id=key, position__isnull=False, archived_at=None)
    assert await behind.values_list("problem", flat=True) == []
    if made and made["meterCreate"]["meter"]:
        archived = {"id": made["meterCreate"]["meter"]["id"]}
        await answered(tenant, ARCHIVE, input=archived)  # or the next ones would take longer
