"""Pages of 100 events under each filter, and previews, on a million events; one client."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from tortoise.connection import get_connection

from benchmarks.asking import Asking
from benchmarks.history import end_of_history, system_with_history
from benchmarks.results import Result, median, percentile
from benchmarks.run import Run
from benchmarks.system import Tenant
from models import Customer
from schema.ids import encode_id

NAME = "listing"
_EVENTS = 1_000_000
_RARE = 1_000
_CALLS = 50
_AIM_SECONDS = 0.05
# No index is kept of metadata: such a page is looked for among all events, from the latest on.
_UNSERVED = (
    "where: one of 800",
    "where: one of 800, a frequent name, a day",
    "where: nothing, of all events",
)
_FEW_CALLS = 5
_PREVIEW_AIM_SECONDS = 1.0

_PAGE = """{
  nodes { id name timestamp processedAt metadata customer { externalId } }
  pageInfo { endCursor }
}"""
_EVENTS_PAGE = f"""query ($filter: EventFilter, $after: String) {{
  found: events(first: 100, filter: $filter, after: $after) {_PAGE}
}}"""
_LAST_PAGE = f"query {{ found: events(last: 100) {_PAGE} }}"
_OF_CUSTOMER = f"""query ($id: ID!, $filter: EventFilter) {{
  on: customer(id: $id) {{ found: events(first: 100, filter: $filter) {_PAGE} }}
}}"""
_OF_METER = f"query ($id: ID!) {{ on: meter(id: $id) {{ found: events(first: 100) {_PAGE} }} }}"
_PREVIEW = """query ($filter: MeterFilterInput!, $start: DateTime, $end: DateTime) {
  meterPreview(
    filter: $filter, start: $start, end: $end
    aggregation: {function: SUM, property: "total_tokens"}
  ) { matchedEvents skippedEvents quantity events(first: 10) { nodes { id } } }
}"""

# A name that one event of a thousand has.
_NAME_RARE = """
UPDATE event SET name = 'file_upload'
WHERE organization_id = $1 AND id IN (
    SELECT id FROM event WHERE organization_id = $1 ORDER BY id LIMIT $2
)
"""


async def measure(run: Run) -> list[Result]:
    """Every page is asked for over HTTP, with the customers of its events."""
    count = _EVENTS // 10 if run.quick else _EVENTS
    async with system_with_history(run, count, meters=1) as (system, tenant):
        connection = get_connection("default")
        await connection.execute_query(_NAME_RARE, [tenant.organization.id, count // _RARE])
        await connection.execute_query("VACUUM ANALYZE event")
        customer = await Customer.filter(organization_id=tenant.organization.id).first()
        assert customer is not None
        client = _Client(Asking(await system.connect(tenant.token)), count)
        results = [
            await client.page(case, query, variables)
            for case, query, variables in _pages(tenant, encode_id("Customer", customer.id))
        ]
        results.append(await client.page("far down", _EVENTS_PAGE, await client.far_down()))
        results += [await client.preview(case, variables) for case, variables in _previews()]
        await client.close()
        return results


def _pages(tenant: Tenant, customer: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What is asked for: case, query and variables."""
    end = end_of_history() - timedelta(days=10)
    day = {"start": end - timedelta(days=1), "end": end}
    hour = {"start": end - timedelta(hours=1), "end": end}
    meter = encode_id("Meter", tenant.meters[0].id)
    often, rare = {"names": ["ai_usage"]}, {"names": ["file_upload"]}
    filters: dict[str, dict[str, Any]] = {
        "no filter": {},
        "a frequent name": often,
        "a rare name": rare,
        "both names": {"names": ["ai_usage", "file_upload"]},
        "a name that nothing has": {"names": ["nothing"]},
        "a day": day,
        "before a day": {"end": day["end"]},
        "a frequent name, a day": {**often, **day},
        "a rare name, a day": {**rare, **day},
        "a customer": {"customerId": customer},
        "a customer, a day": {"customerId": customer, **day},
        "a customer, a frequent name": {"customerId": customer, **often},
        "a customer, a rare name": {"customerId": customer, **rare},
        "a customer, a frequent name, a day": {"customerId": customer, **often, **day},
        "a meter": {"meterId": meter},
        "a meter, a customer": {"meterId": meter, "customerId": customer},
        "a meter, a day": {"meterId": meter, **day},
        "where: all": {"where": _where(("model", "gpt-4.1"))},
        "where: one of 800": {"where": _where(("completion_tokens", 7))},
        "where: one of 800, a frequent name, a day": {
            "where": _where(("completion_tokens", 7)),
            **often,
            **day,
        },
        "where: one of 800, a customer": {
            "where": _where(("completion_tokens", 7)),
            "customerId": customer,
        },
        "where: a rare name": {"where": _where(("name", "file_upload"))},
        "where: nothing, an hour": {"where": _where(("completion_tokens", -1)), **hour},
        "where: nothing, a rare name": {"where": _where(("completion_tokens", -1)), **rare},
        "where: nothing, of all events": {"where": _where(("completion_tokens", -1))},
    }
    for case, filter_ in filters.items():
        yield case, _EVENTS_PAGE, {"filter": filter_}
    yield "the oldest", _LAST_PAGE, {}
    yield "customer.events", _OF_CUSTOMER, {"id": customer}
    yield "customer.events, a rare name", _OF_CUSTOMER, {"id": customer, "filter": rare}
    yield "meter.events", _OF_METER, {"id": meter}


def _previews() -> Iterator[tuple[str, dict[str, Any]]]:
    """What is previewed: case and variables."""
    end = end_of_history()
    name = ("name", "ai_usage")
    for days in (1, 7, 30):
        span = {"start": end - timedelta(days=days), "end": end}
        yield f"a name, {days} day{'s' * (days > 1)}", {"filter": _where(name), **span}
    yield "a name", {"filter": _where(name)}
    yield "a name, another clause", {"filter": _where(name, ("model", "gpt-4.1"))}


def _where(*clauses: tuple[str, Any]) -> dict[str, Any]:
    """A filter of properties that equal values."""
    return {
        "clauses": [
            {"clause": {"property": named, "operator": "EQUALS", "value": value}}
            for named, value in clauses
        ]
    }


class _Client:
    """Asks one thing at a time."""

    def __init__(self, asking: Asking, count: int) -> None:
        self._asking = asking
        self._count = count

    async def page(self, case: str, query: str, variables: dict[str, Any]) -> Result:
        """How long a page takes."""
        is_served = case not in _UNSERVED
        taken = await self._asking.seconds(query, variables, _CALLS if is_served else _FEW_CALLS)
        slow = percentile(taken, 0.99)
        return Result(
            NAME,
            f"{case}; {self._count:,} events, p50 and p99",
            f"{median(taken) * 1e3:.1f} ms, {slow * 1e3:.1f} ms",
            aim=f"< {_AIM_SECONDS * 1e3:.0f} ms" if is_served else "",
            met=slow < _AIM_SECONDS if is_served else None,
        )

    async def preview(self, case: str, variables: dict[str, Any]) -> Result:
        """How long a preview takes."""
        taken = await self._asking.seconds(_PREVIEW, variables, _FEW_CALLS)
        return Result(
            NAME,
            f"preview: {case}; {self._count:,} events, p50",
            f"{median(taken) * 1e3:.0f} ms",
            aim=f"< {_PREVIEW_AIM_SECONDS:.0f} s",
            met=median(taken) < _PREVIEW_AIM_SECONDS,
        )

    async def far_down(self) -> dict[str, Any]:
        """The variables of a page in the middle of the list."""
        end = end_of_history() - timedelta(days=15)
        answer = await self._asking.ask(_EVENTS_PAGE, {"filter": {"end": end}})
        return {"after": answer["data"]["found"]["pageInfo"]["endCursor"]}

    async def close(self) -> None:
        """Closes the connection."""
        await self._asking.close()
