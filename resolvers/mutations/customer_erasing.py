"""The mutation that erases a customer."""

import strawberry
from tortoise.transactions import in_transaction

from billing.erasing import erase_customer
from metering.problems import RefusedError, problem
from models import Customer as CustomerRow
from resolvers.mutating import mutates
from resolvers.refusals import not_found
from schema.audit_log.erasing import erase_from_entries, input_without_texts
from schema.context import Info, Scope
from schema.customers import find_customer
from schema.inputs.customers import CustomerEraseInput
from schema.types.customer import Customer
from schema.types.payloads import CustomerErasePayload


@strawberry.type
class CustomerErasingMutation:
    @strawberry.mutation(
        description="Erases a customer for good: its name, email and external id, its sessions and "
        "own alerts, texts about it in the audit log and in webhooks, and the metadata of its "
        "events. All numbers, its invoices and its ledgers stay. Refused while a subscription is "
        "live or an invoice is not issued. Nothing can be done for an erased customer afterwards; "
        "events with its former external id create another customer. Erasing again changes "
        "nothing.",
        extensions=[
            mutates(
                Scope.ADMIN,
                makes="customer",
                shown=input_without_texts,
            )
        ],
    )
    async def customer_erase(self, info: Info, input: CustomerEraseInput) -> CustomerErasePayload:
        if (input.id is None) == (input.external_customer_id is None):
            message = "Give exactly one of id and externalCustomerId."
            raise RefusedError(problem("INVALID", message))
        context = info.context
        field = "externalCustomerId" if input.id is None else "id"
        row = await find_customer(context, input.id, input.external_customer_id)
        if row is None:
            raise not_found("Customer", field)
        async with in_transaction() as connection:
            if await erase_customer(connection, row.organization_id, row.id, field):
                await erase_from_entries(connection, row.organization_id, row.id, row.external_id)
        erased = await context.loaders.existing(CustomerRow, row.id)
        return CustomerErasePayload(customer=Customer.of(erased))
