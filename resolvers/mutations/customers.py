"""Mutations about customers: create and update."""

from typing import Annotated, Any

import strawberry
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from models import Customer as CustomerRow
from resolvers.mutating import mutates
from resolvers.texts import EMAIL, EXTERNAL_ID, NAME, check_texts
from schema.context import Info, Scope
from schema.errors import ErrorCode, UserError, user_error
from schema.ids import decode_id
from schema.inputs.customers import (
    CustomerCreateInput,
    CustomerUpdateInput,
)
from schema.types.customer import Customer
from schema.types.payloads import (
    CustomerCreatePayload,
    CustomerUpdatePayload,
)


@strawberry.type
class CustomerMutation:
    @strawberry.mutation(
        description="Creates a customer, or completes one that events have created with the "
        "same externalId.",
        extensions=[mutates(Scope.EVENTS_WRITE, Scope.BILLING_WRITE, makes="customer")],
    )
    async def customer_create(
        self,
        info: Info,
        input: Annotated[CustomerCreateInput, strawberry.argument(description="The customer.")],
    ) -> CustomerCreatePayload:
        errors = _check(input)
        if errors:
            return CustomerCreatePayload(user_errors=errors)
        organization_id = info.context.organization_id
        values: dict[str, Any] = {"name": input.name, "email": input.email}
        try:
            # A savepoint, where this is part of a transaction that goes on.
            async with in_transaction() as connection:
                row = await CustomerRow.create(
                    organization_id=organization_id,
                    external_id=input.external_id,
                    using_db=connection,
                    **values,
                )
        except IntegrityError:
            # Events may have made it: then it knows nothing but its external id yet.
            filled = await CustomerRow.filter(
                organization_id=organization_id,
                external_id=input.external_id,
                name=None,
                email=None,
            ).update(**values)
            if not filled:
                return CustomerCreatePayload(user_errors=[_taken()])
            row = await CustomerRow.get(
                organization_id=organization_id, external_id=input.external_id
            )
        return CustomerCreatePayload(customer=Customer.of(row))

    @strawberry.mutation(
        description="Changes a customer. A field that is left out keeps its value; null removes "
        "it.",
        extensions=[mutates(Scope.BILLING_WRITE)],
    )
    async def customer_update(
        self,
        info: Info,
        input: Annotated[CustomerUpdateInput, strawberry.argument(description="The changes.")],
    ) -> CustomerUpdatePayload:
        errors = _check(input)
        if errors:
            return CustomerUpdatePayload(user_errors=errors)
        key = decode_id(input.id, "Customer")
        row = await info.context.loaders.customer.load(key) if key else None
        if row is None:
            return CustomerUpdatePayload(user_errors=[_not_found("id")])
        sent = {
            "external_id": input.external_id,
            "name": input.name,
            "email": input.email,
        }
        changes = {name: value for name, value in sent.items() if value is not strawberry.UNSET}
        if changes:
            try:
                await row.update_from_dict(changes).save(update_fields=list(changes))
            except IntegrityError:
                return CustomerUpdatePayload(user_errors=[_taken()])
        return CustomerUpdatePayload(customer=Customer.of(row))


def _check(sent: Any) -> list[UserError]:
    return check_texts(
        ("externalId", sent.external_id, EXTERNAL_ID),
        ("name", sent.name, NAME),
        ("email", sent.email, EMAIL),
    )


def _taken() -> UserError:
    message = "Another customer has this externalId."
    return user_error(ErrorCode.ALREADY_EXISTS, message, "externalId")


def _not_found(field: str) -> UserError:
    return user_error(ErrorCode.NOT_FOUND, "There is no customer with this id.", field)
