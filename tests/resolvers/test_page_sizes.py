"""Pages without a size are smaller inside lists, so that lists compose."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from models import Customer, CustomerMeter, Meter, Organization
from tests.graphql_client import Api
from tests.resolvers.token_meter import create_meter


async def world(api: Api, organization: Organization) -> None:
    """51 customers and 11 meters: the first of each has 11 of the other."""
    for number in range(11):
        await create_meter(api, name=f"Meter {number}")
    await Customer.bulk_create(
        [
            Customer(organization_id=organization.id, external_id=f"c{number}")
            for number in range(51)
        ]
    )
    customers = await Customer.filter(organization_id=organization.id).order_by("id")
    meters = await Meter.filter(organization_id=organization.id).order_by("id")
    pairs = {(customers[0].id, meter.id) for meter in meters}
    pairs |= {(customer.id, meters[0].id) for customer in customers[:11]}
    await CustomerMeter.bulk_create([row(organization.id, *pair) for pair in sorted(pairs)])


def row(organization_id: UUID, customer_id: UUID, meter_id: UUID) -> CustomerMeter:
    return CustomerMeter(
        organization_id=organization_id,
        customer_id=customer_id,
        meter_id=meter_id,
        updated_at=datetime.now(UTC),
    )


async def test_pages_without_a_size_are_smaller_inside_lists(
    api: Api, organization: Organization
) -> None:
    await world(api, organization)
    found = await api.get(
        """
        fragment Meters on Customer {
          meters { nodes { meter { name customers { nodes { id } } } } }
        }
        query {
          customers { nodes { id ...Meters } }
          one: customer(externalId: "c0") { ...Meters }
          large: customers(first: 51) { nodes { meters(first: 11) { nodes { id } } } }
        }
        """
    )
    customers = found["customers"]["nodes"]
    assert len(customers) == 50
    assert sizes(customers[0]) == (10, 5)
    # Not in a list: a client that relies on 50 gets them.
    assert sizes(found["one"]) == (11, 10)
    nodes = found["large"]["nodes"]
    assert (len(nodes), max(len(node["meters"]["nodes"]) for node in nodes)) == (51, 11)
    by_id = await api.get(
        "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Customer { ...Meters } } }"
        " fragment Meters on Customer { meters { edges { node { id } } } }",
        ids=[customers[0]["id"]],
    )
    assert len(by_id["nodes"][0]["meters"]["edges"]) == 10


def sizes(customer: dict[str, Any]) -> tuple[int, int]:
    meters = [node["meter"] for node in customer["meters"]["nodes"]]
    return len(meters), max(len(meter["customers"]["nodes"]) for meter in meters)
