"""What the demo's invoices must say, computed from its events without the meters."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

from metergraph.demo.billing import (
    DISCOUNT_PERCENT,
    DISCOUNTED,
    OTHER_TOKENS,
    SENDS_LATE,
    STORAGE_PRICE,
    TOKEN_KINDS,
    TOKEN_PRICES,
)
from metergraph.demo.payments import HAS_CREDIT_NOTE, PAYS_LATE, VOIDED
from models import Customer
from tests.billing.world import BilledInvoice, World
from tests.reference.values import parse_json

SECOND = timedelta(seconds=1)


@dataclass(frozen=True)
class Billed:
    """A customer's calls of models, and its invoices, read without the meters.

    A call is an instant, a model, a kind of token, and how many of them.
    """

    calls: list[tuple[datetime, str, str, int]]
    invoices: list[BilledInvoice]

    def by_rate(self, start: datetime, end: datetime | None = None) -> Counter[tuple[str, str]]:
        """Tokens by model and kind."""
        found: Counter[tuple[str, str]] = Counter()
        for at, model, kind, tokens in self.calls:
            if at >= start and (end is None or at < end):
                found[model, kind] += tokens
        return found

    def tokens(self, start: datetime, end: datetime | None = None) -> int:
        return self.by_rate(start, end).total()

    def metered(self) -> Iterator[tuple[Any, int]]:
        """The invoice lines of tokens, each with the tokens of its period as they are now."""
        for invoice in self.invoices:
            for line in invoice.lines:
                if line.kind == "METERED" and "AI usage" in line.description:
                    yield line, self.tokens(line.period_start, line.period_end)

    def rated(self) -> Iterator[tuple[int, int, Counter[tuple[str, str]]]]:
        """Of each invoice with tokens: their units, their amount, and what there is now."""
        for invoice in self.invoices:
            lines = [
                line
                for line in invoice.lines
                if line.kind == "METERED" and "AI usage" in line.description
            ]
            if lines:
                now = self.by_rate(lines[0].period_start, lines[0].period_end)
                units = sum(int(line.consumed) for line in lines)
                yield units, sum(int(line.amount) for line in lines), now


async def billed(demo: World, external_id: str) -> Billed:
    customer = await Customer.get(organization_id=demo.id, external_id=external_id)
    rows = await demo.query(
        # The test sends one without tokens or model.
        "SELECT timestamp, metadata FROM event"
        " WHERE organization_id = $1 AND customer_id = $2 AND name = 'ai_usage'",
        customer.id,
    )
    calls = []
    for row in rows:
        sent = parse_json(row["metadata"])
        calls.append(
            (row["timestamp"], *(sent.get(key) for key in ("model", "kind")), sent.get("tokens", 0))
        )
    invoices = [one for one in await demo.invoices() if one.invoice.customer_id == customer.id]
    return Billed(calls, invoices)


async def current(demo: World, external_id: str) -> dict[str, Any]:
    """The customer's AI usage as the API shows it, with the start of its period."""
    [row] = await demo.query(
        """
        SELECT usage.consumed, usage.credited, subscription.current_period_start AS start
        FROM customer_meter usage
        JOIN meter ON meter.id = usage.meter_id AND meter.name = 'AI usage'
        JOIN customer ON customer.id = usage.customer_id AND customer.external_id = $2
        JOIN customer_subscription subscription ON subscription.customer_id = customer.id
        WHERE usage.organization_id = $1
        """,
        external_id,
    )
    return row


def by_model_and_kind(tokens: Counter[tuple[str, str]]) -> int:
    """What the AI plan charges for a month: the credit pays for the rates in their order."""
    prices = {
        (model, kind): Decimal(price)
        for model, of_model in TOKEN_PRICES.items()
        for kind, price in zip(TOKEN_KINDS, of_model, strict=True)
    }
    credit, charged = 1_000_000, 0
    others = sum(count for key, count in tokens.items() if key not in prices)
    units = [*((tokens[key], price) for key, price in prices.items()), (others, OTHER_TOKENS)]
    for count, price in units:
        paid = min(count, credit)
        credit -= paid
        charged += int(((count - paid) * price).quantize(Decimal(1), ROUND_HALF_UP))
    return charged


def graduated(billable: int) -> int:
    """What the Scale plan charges for tokens beyond the credit."""
    first, second = min(billable, 50_000_000), max(0, min(billable, 200_000_000) - 50_000_000)
    cents = first * Decimal("0.0003") + second * Decimal("0.00025")
    cents += max(0, billable - 200_000_000) * Decimal("0.0002")
    return min(25_000, int(cents.quantize(Decimal(1), ROUND_HALF_UP)))


async def check_rates(demo: World) -> None:
    """Each model and kind of token has a line, and a larger model makes the invoice higher."""
    globex = await billed(demo, "globex")
    assert globex.invoices[0].kinds == ["FIXED"]
    rated = list(globex.rated())
    assert len(rated) == 2
    for (units, amount, tokens), invoice in zip(rated, globex.invoices[1:], strict=True):
        assert (units, amount) == (tokens.total(), by_model_and_kind(tokens))
        assert {*invoice.kinds} == {"METERED", "FIXED"}
        assert int(invoice.invoice.total) == 2000 + amount
        assert len(invoice.lines) >= 7
    *_, before, last = globex.invoices
    assert last.invoice.total > 2 * before.invoice.total
    usage = await current(demo, "globex")
    assert usage["consumed"] == globex.tokens(usage["start"]) > 0
    assert usage["credited"] == 1_000_000


async def check_discount(demo: World) -> None:
    """The first invoice was issued at once, before there was a discount."""
    discounted = await billed(demo, DISCOUNTED)
    for invoice in discounted.invoices[1:]:
        *amounts, discount = map(int, invoice.amounts)
        assert invoice.kinds[-1] == "DISCOUNT"
        off = Decimal(sum(amounts)) * DISCOUNT_PERCENT / 100
        assert -discount == int(off.quantize(Decimal(1), ROUND_HALF_UP))


async def check_states(demo: World) -> None:
    """Most invoices are paid; a void one is billed again, and a credit note is used up."""
    states = Counter(one.invoice.status for one in await demo.invoices())
    assert states["PAID"] > states["ISSUED"] > states["VOID"] == 1
    again = await billed(demo, VOIDED)
    assert [one.invoice.status for one in again.invoices][1] == "VOID"
    assert again.invoices[2].kinds.count("FIXED") == 2
    charged = {line.period_start for line in again.invoices[2].lines if line.kind == "METERED"}
    assert len(charged) == 2
    credited = await billed(demo, HAS_CREDIT_NOTE)
    assert credited.invoices[2].amounts[-1] == -500
    late = await billed(demo, PAYS_LATE)
    assert "PAID" not in {one.invoice.status for one in late.invoices}
    assert all(one.invoice.due_at for one in late.invoices)


async def check_correction(demo: World) -> None:
    """The late customer's line and its correction together are what all its events cost."""
    late = await billed(demo, SENDS_LATE)
    (first, tokens), (second, later_tokens) = late.metered()
    [correction] = [
        line
        for invoice in late.invoices
        for line in invoice.lines
        if line.kind == "CORRECTION" and "AI usage" in line.description
    ]
    assert correction.amount > 0
    assert first.consumed < tokens
    assert first.consumed + correction.consumed == tokens
    assert first.amount + correction.amount == graduated(tokens - 20_000_000)
    assert second.consumed == later_tokens
    assert second.amount == graduated(later_tokens - 20_000_000)


async def check_storage(demo: World) -> None:
    """What is stored is charged by the hour, from one measurement to the next."""
    saving = await Customer.get(organization_id=demo.id, external_id="tyrell")
    rows = await demo.query(
        "SELECT timestamp, metadata FROM event WHERE organization_id = $1 AND customer_id = $2"
        " AND name = 'storage_measured' ORDER BY timestamp",
        saving.id,
    )
    measured = [(row["timestamp"], parse_json(row["metadata"])["gigabytes"]) for row in rows]
    invoices = (await billed(demo, "tyrell")).invoices
    lines = [line for one in invoices for line in one.lines if "Storage" in line.description]
    assert len(lines) == 2
    for line in lines:
        hours = Decimal(0)
        for (at, gigabytes), (until, _) in pairwise([*measured, (line.period_end, None)]):
            lasted = min(until, line.period_end) - max(at, line.period_start)
            hours += gigabytes * max(Decimal(0), Decimal(lasted // SECOND)) / 3_600
        assert abs(line.consumed - hours) < Decimal("0.000001")
        assert line.amount == int((hours * STORAGE_PRICE).quantize(Decimal(1), ROUND_HALF_UP)) > 0


async def check_cap_and_rollover(demo: World) -> None:
    capped = await billed(demo, "cyberdyne")
    lines = list(capped.metered())
    assert [int(line.amount) for line, _ in lines] == [
        graduated(tokens - 20_000_000) for _, tokens in lines
    ]
    assert lines[-1][0].amount == 25_000
    saving = await billed(demo, "tyrell")
    left = 0
    for line, tokens in saving.metered():
        assert (int(line.consumed), int(line.amount)) == (tokens, 0)
        left += 20_000_000 - tokens
    usage = await current(demo, "tyrell")
    assert usage["credited"] == 20_000_000 + left
    assert usage["consumed"] == saving.tokens(usage["start"])
