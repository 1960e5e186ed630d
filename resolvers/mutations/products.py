"""Mutations about products and benefits."""

from collections.abc import Sequence
from uuid import UUID

import strawberry

from billing.catalog.benefits import MeterCredit
from billing.catalog.new_benefits import create_benefit
from billing.catalog.products import (
    ProductChanges,
    ProductDraft,
    archive_product,
    create_product,
    update_product,
)
from billing.periods.grants import DEFAULT_PRIORITY
from billing.subscriptions.cycle import renew_touched
from billing.subscriptions.renewal import Touched
from resolvers.mutating import mutates
from resolvers.refusals import required_id
from schema.billing_enums import BillingPeriods
from schema.context import Context, Info, Scope
from schema.ids import decode_id
from schema.inputs.products import (
    MeterCreditBenefitCreateInput,
    ProductArchiveInput,
    ProductCreateInput,
    ProductUpdateInput,
)
from schema.types.product import (
    MeterCreditBenefit,
    MeterCreditBenefitCreatePayload,
    Product,
    ProductArchivePayload,
    ProductCreatePayload,
    ProductUpdatePayload,
)

_WRITE = Scope.BILLING_WRITE


async def _renew_subscriptions(context: Context, sent: ProductUpdateInput) -> None:
    """Renews what is due, in transactions of their own, as a product may have many subscriptions.

    The update itself renews only what becomes due in between.
    """
    product_id = decode_id(sent.id, "Product")
    if product_id is not None:
        touched = Touched("product_id", product_id)
        await renew_touched(context.organization_id, touched)


@strawberry.type
class ProductMutation:
    @strawberry.mutation(
        description="Creates a product with its prices, which never change.",
        extensions=[mutates(_WRITE, makes="product")],
    )
    async def product_create(self, info: Info, input: ProductCreateInput) -> ProductCreatePayload:
        draft = ProductDraft(
            name=input.name,
            description=input.description,
            recurring_interval=input.recurring_interval,
            interval_count=1 if input.interval_count is None else input.interval_count,
            billing_periods=input.billing_periods or BillingPeriods.FROM_START,
            usage_interval=input.usage_interval,
            prices=[price.draft() for price in input.prices],
            benefit_ids=_benefit_ids(input.benefit_ids),
            trial_days=input.trial_days,
            minimum_amount=input.minimum_amount,
        )
        row = await create_product(info.context.organization_id, draft)
        return ProductCreatePayload(product=Product.of(row))

    @strawberry.mutation(
        description="Changes a product. New benefits apply to each subscription from its next "
        "period on.",
        extensions=[mutates(_WRITE, first=_renew_subscriptions)],
    )
    async def product_update(self, info: Info, input: ProductUpdateInput) -> ProductUpdatePayload:
        sets_description = input.description is not strawberry.UNSET
        changes = ProductChanges(
            name=input.name,
            sets_description=sets_description,
            description=input.description if sets_description else None,
            benefit_ids=None if input.benefit_ids is None else _benefit_ids(input.benefit_ids),
        )
        product_id = required_id(input.id, "Product", "id")
        row = await update_product(info.context.organization_id, product_id, changes)
        return ProductUpdatePayload(product=Product.of(row))

    @strawberry.mutation(
        description="Takes a product off sale. Its subscriptions continue.",
        extensions=[mutates(_WRITE)],
    )
    async def product_archive(
        self, info: Info, input: ProductArchiveInput
    ) -> ProductArchivePayload:
        row = await archive_product(
            info.context.organization_id, required_id(input.id, "Product", "id")
        )
        return ProductArchivePayload(product=Product.of(row))

    @strawberry.mutation(
        description="Creates a benefit, which products can include.",
        extensions=[mutates(_WRITE, makes="benefit")],
    )
    async def meter_credit_benefit_create(
        self, info: Info, input: MeterCreditBenefitCreateInput
    ) -> MeterCreditBenefitCreatePayload:
        meter_id = decode_id(input.meter_id, "Meter")
        credit = MeterCredit(
            meter_id,
            input.units,
            input.rollover,
            DEFAULT_PRIORITY if input.priority is None else input.priority,
            input.expires_after_days,
            input.rollover_limit,
            bool(input.per_quantity),
        )
        row = await create_benefit(info.context.organization_id, input.description, credit)
        return MeterCreditBenefitCreatePayload(benefit=MeterCreditBenefit.of(row))


def _benefit_ids(values: Sequence[str]) -> list[UUID | None]:
    return [decode_id(value, "MeterCreditBenefit") for value in values]
