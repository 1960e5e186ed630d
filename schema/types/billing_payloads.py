"""The payloads of billing's mutations: an object, or the errors that prevented it."""

import strawberry

from schema.errors import UserError
from schema.types.customer_meter import CustomerMeter
from schema.types.payloads import user_errors
from schema.types.product import MeterCreditBenefit, Product
from schema.types.subscription import CustomerSubscription


@strawberry.type(description="The new product, or the reason why it was not created.")
class ProductCreatePayload:
    product: Product | None = strawberry.field(default=None, description="The product.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The changed product, or the reason why it was not changed.")
class ProductUpdatePayload:
    product: Product | None = strawberry.field(default=None, description="The product.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The archived product, or the reason why it was not archived.")
class ProductArchivePayload:
    product: Product | None = strawberry.field(default=None, description="The product.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The new benefit, or the reason why it was not created.")
class MeterCreditBenefitCreatePayload:
    benefit: MeterCreditBenefit | None = strawberry.field(default=None, description="The benefit.")
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The new subscription, or the reason why it was not created.")
class CustomerSubscriptionCreatePayload:
    subscription: CustomerSubscription | None = strawberry.field(
        default=None, description="The subscription."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(description="The canceled subscription, or the reason why it was not canceled.")
class CustomerSubscriptionCancelPayload:
    subscription: CustomerSubscription | None = strawberry.field(
        default=None, description="The subscription."
    )
    user_errors: list[UserError] = user_errors()


@strawberry.type(
    description="Usage and balance after the credit, or the reason why nothing was credited."
)
class CustomerMeterCreditPayload:
    customer_meter: CustomerMeter | None = strawberry.field(
        default=None, description="Usage and balance on the meter."
    )
    user_errors: list[UserError] = user_errors()
