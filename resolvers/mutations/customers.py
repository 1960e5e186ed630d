"""Mutations about customers: create and update."""

from typing import Any

import strawberry
from tortoise.exceptions import IntegrityError
from tortoise.transactions import in_transaction

from metering.erasing.customers import refuse_erased
from metering.live.outbox import OutboxType, publish
from metering.problems import RefusedError, problem, refuse_any
from metering.texts import EMAIL, EXTERNAL_ID, NAME, given_name_problems
from models import Customer as CustomerRow
from models.changes import store_changes
from resolvers.mutating import mutates
from resolvers.refusals import not_found
from schema.context import Info, Scope
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
        self, info: Info, input: CustomerCreateInput
    ) -> CustomerCreatePayload:
        _check(input)
        organization_id = info.context.organization_id
        values: dict[str, Any] = {"name": input.name, "email": input.email}
        try:
            # A savepoint, if this is part of a transaction that goes on.
            async with in_transaction() as connection:
                row = await CustomerRow.create(
                    organization_id=organization_id,
                    external_id=input.external_id,
                    using_db=connection,
                    **values,
                )
                await publish(connection, organization_id, OutboxType.CUSTOMER_CREATED, row.id)
        except IntegrityError:
            # An event may have created the customer, which then has only its external id.
            async with in_transaction() as connection:
                filled = (
                    await CustomerRow.filter(
                        organization_id=organization_id,
                        external_id=input.external_id,
                        name=None,
                        email=None,
                    )
                    .using_db(connection)
                    .update(**values)
                )
                if not filled:
                    raise _taken() from None
                row = await CustomerRow.get(
                    organization_id=organization_id, external_id=input.external_id
                )
                if any(values.values()):
                    await publish(connection, organization_id, OutboxType.CUSTOMER_UPDATED, row.id)
        return CustomerCreatePayload(customer=Customer.of(row))

    @strawberry.mutation(
        description="Changes a customer. A field that is left out keeps its value; null removes "
        "it.",
        extensions=[mutates(Scope.BILLING_WRITE)],
    )
    async def customer_update(
        self, info: Info, input: CustomerUpdateInput
    ) -> CustomerUpdatePayload:
        _check(input)
        key = decode_id(input.id, "Customer")
        row = await info.context.loaders.by_id(CustomerRow).load(key) if key else None
        if row is None:
            raise not_found("Customer", "id")
        sent = {
            "external_id": input.external_id,
            "name": input.name,
            "email": input.email,
        }
        changes = {name: value for name, value in sent.items() if value is not strawberry.UNSET}
        await refuse_erased(row.organization_id, row.id, "id", is_changed=True)
        if changes:
            try:
                async with in_transaction() as connection:
                    await store_changes(row.update_from_dict(changes), connection, *changes)
                    await publish(
                        connection, row.organization_id, OutboxType.CUSTOMER_UPDATED, row.id
                    )
            except IntegrityError:
                raise _taken() from None
        return CustomerUpdatePayload(customer=Customer.of(row))


def _check(sent: Any) -> None:
    problems = given_name_problems(
        ("externalId", sent.external_id, EXTERNAL_ID),
        ("name", sent.name, NAME),
        ("email", sent.email, EMAIL),
    )
    refuse_any(problems)


def _taken() -> RefusedError:
    message = "Another customer has this externalId."
    return RefusedError(problem("ALREADY_EXISTS", message, "externalId"))
