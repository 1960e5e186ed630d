"""Grants made by hand: which are refused, and what debiting and voiding leave of them."""

from typing import Any

import pytest

from billing.catalog.prices import MeteredDraft
from metering.language.aggregations import AggregationFunction
from metering.problems import RefusedError
from models import CreditGrant
from tests.billing.world import World, instant


async def grant_ids(world: World) -> list[CreditGrant]:
    return await CreditGrant.filter(organization_id=world.id).order_by("id")


async def test_a_void_takes_what_remains_and_late_usage_still_burns_it(world: World) -> None:
    customer, meter, _subscription = await world.subscribed()
    await world.credit(customer, meter, 50, "2026-01-02")
    await world.use(customer, ("2026-01-05", 20))
    [grant] = await grant_ids(world)
    await world.void_grant(grant.id, "2026-01-10")
    assert await world.balance(customer, meter) == (20, 20)
    assert (await world.ledger(customer, meter))[-1] == ("VOID", -30)
    with pytest.raises(RefusedError, match="Nothing remains") as refused:
        await world.void_grant(grant.id, "2026-01-11")
    assert refused.value.problems[0].code == "CONFLICT"
    await world.use(customer, ("2026-01-09", 25), ("2026-01-12", 3))
    await world.cycle("2026-01-13")
    assert await world.balance(customer, meter) == (48, 45)
    await world.cycle("2026-02-01")
    [invoice] = await world.invoices()
    assert (invoice.lines[0].credited, invoice.amounts) == (45, [3])
    await grant.refresh_from_db()
    assert (grant.voided_at, grant.void_reason) == (instant("2026-01-10"), "a mistake")


async def test_a_grant_that_has_not_begun_can_be_voided(world: World) -> None:
    customer, meter, _subscription = await world.subscribed(units=5)
    await world.credit(*(customer, meter, 50, "2026-01-02"), begins="2026-02-10")
    *_, grant = await grant_ids(world)
    await world.void_grant(grant.id, "2026-01-03")
    await world.cycle("2026-02-11")
    assert await world.balance(customer, meter) == (0, 5)
    assert [kind for kind, _ in await world.ledger(customer, meter)] == ["GRANT", "EXPIRY", "GRANT"]


async def test_usage_that_does_not_add_up_is_not_cut(world: World) -> None:
    customer, meter = await world.customer(), await world.meter(AggregationFunction.MAXIMUM)
    with pytest.raises(RefusedError, match="COUNT or SUM"):
        await world.benefit(meter, 5, days=3)
    product = await world.product(MeteredDraft("USD", meter.id, parameters={"unit_amount": 1}))
    await world.subscribe(customer, product, "2026-01-01")
    for begins, ends in (("2026-01-10", None), (None, "2026-01-20"), (None, "2026-03-01")):
        with pytest.raises(RefusedError, match="does not add up") as refused:
            await world.credit(*(customer, meter, 5, "2026-01-02"), begins=begins, ends=ends)
        assert refused.value.problems[0].code == "INVALID"
    await world.credit(*(customer, meter, 5, "2026-01-02"), ends="2026-02-01")
    await world.credit(*(customer, meter, 4, "2026-01-02"), begins="2026-02-01")
    await world.credit(*(customer, meter, 3, "2026-01-02"))
    await world.use(customer, ("2026-01-05", 6))
    assert await world.remaining(customer, meter, "2026-01-06") == [0, 4, 2]
    # What remains is taken, because the grant cannot end within the period.
    await world.void_grant((await grant_ids(world))[2].id, "2026-01-07")
    assert await world.balance(customer, meter) == (6, 6)
    await world.cycle("2026-02-01")
    assert await world.balance(customer, meter) == (0, 4)
    [invoice] = await world.invoices()
    assert invoice.amounts == [0]


async def test_grants_are_checked(world: World) -> None:
    customer, meter, _subscription = await world.subscribed()
    await world.cycle("2026-02-01")
    for values, field in (
        ({"begins": "2026-01-31"}, "effectiveAt"),
        ({"ends": "2026-02-02"}, "expiresAt"),
        ({"begins": "2026-02-10", "ends": "2026-02-10"}, "expiresAt"),
        ({"priority": -1}, "priority"),
        ({"priority": 1001}, "priority"),
    ):
        with pytest.raises(RefusedError) as refused:
            await world.credit(customer, meter, 1, "2026-02-02", **values)
        assert [(one.code, one.path) for one in refused.value.problems] == [("INVALID", (field,))]
    with pytest.raises(RefusedError, match="debit"):
        await world.credit(customer, meter, -1, "2026-02-02", ends="2026-02-10")
    assert await grant_ids(world) == []


async def test_a_debit_takes_what_would_be_used_last(world: World) -> None:
    customer, meter, _subscription = await world.subscribed(units=10)
    await world.credit(*(customer, meter, 10, "2026-01-02"), ends="2026-06-01")
    await world.credit(*(customer, meter, 10, "2026-01-02"), begins="2026-01-20")
    with pytest.raises(RefusedError, match="Only 20 units"):
        await world.credit(customer, meter, -21, "2026-01-05")
    await world.credit(customer, meter, -12, "2026-01-05")
    assert await world.remaining(customer, meter, "2026-01-06") == [8, 0, 10]
    assert await world.balance(customer, meter) == (0, 8)


async def test_a_credit_leaves_the_rows_of_other_grants_alone(world: World) -> None:
    """It wrote those of all grants, which may be a thousand."""
    customer, meter, _subscription = await world.subscribed(units=10)

    async def versions() -> dict[Any, Any]:
        rows = await world.query(
            """
            SELECT credit_grant_id, xmin::text AS version FROM credit_holding
            WHERE organization_id = $1
            """
        )
        return {row["credit_grant_id"]: row["version"] for row in rows}

    for _ in range(3):
        await world.credit(customer, meter, 10, "2026-01-02")
    before = await versions()
    await world.credit(customer, meter, 10, "2026-01-03")
    after = await versions()
    assert (len(before), len(after)) == (4, 5)
    assert before.items() <= after.items()
    newest = (await grant_ids(world))[-1].id
    await world.credit(customer, meter, -7, "2026-01-04")
    changed = {key for key, version in (await versions()).items() if version != after[key]}
    assert changed == {newest}
    await world.void_grant(newest, "2026-01-05")
    assert await world.balance(customer, meter) == (0, 40)
    assert await world.remaining(customer, meter, "2026-01-05") == [10, 10, 10, 10, 0]
