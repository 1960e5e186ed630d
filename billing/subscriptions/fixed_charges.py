"""What a subscription pays in advance, and what is given back of it. Pure."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from billing.catalog.catalog_products import CatalogProduct
from billing.periods.intervals import Period
from billing.periods.shares import share
from billing.rating.lines import (
    Line,
    LineKind,
    Plan,
    fixed_lines,
    remaining_lines,
    returning_lines,
    total,
)
from billing.rating.steps import amount_of
from billing.subscriptions.live_subscriptions import LiveSubscription
from billing.subscriptions.terms import Terms, current_whole


def plan_of(product: CatalogProduct, quantity: int) -> Plan:
    """Returns what a subscription to a product pays for in advance."""
    return Plan(product.name, product.fixed, quantity)


def charges_in_advance(terms: Terms | None) -> list[Line]:
    """Returns the lines for a period that begins by itself. A trial is free."""
    if terms is None or terms.is_trial or terms.goes_on:
        return []
    return fixed_lines(plan_of(terms.product, terms.quantity), terms.period, terms.share)


def charges_of_change(
    subscription: LiveSubscription, products: Mapping[UUID, CatalogProduct], terms: Terms
) -> list[Line]:
    """Returns the lines for a change within the current period: what is given back and bought."""
    if terms.is_trial:
        return []
    returned = charges_given_back(subscription, products, terms.period.start)
    if not terms.is_rest:
        return returned + charges_in_advance(terms)
    plan = plan_of(terms.product, terms.quantity)
    return returned + remaining_lines(plan, terms.period, terms.whole)


def charges_given_back(
    subscription: LiveSubscription, products: Mapping[UUID, CatalogProduct], at: datetime
) -> list[Line]:
    """Returns the lines that give back what was paid for the current period from `at` on."""
    if subscription.is_trialing:
        return []
    unused, whole = Period(at, subscription.current.end), current_whole(subscription, products)
    plan = plan_of(products[subscription.product_id], subscription.quantity)
    lines = returning_lines(plan, unused, whole)
    paid = subscription.paid_discount
    steps = () if paid is None else paid.part(share(unused, whole)).steps(-total(lines))
    kept = amount_of(steps)
    if kept:
        # What was paid with a discount is given back less the discount.
        name, first = f"Discount on unused time of {plan.name}", lines[0].price_id
        lines.append(Line(LineKind.DISCOUNT, name, first, unused, kept, steps=steps))
    return lines
