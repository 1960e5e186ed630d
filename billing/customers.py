"""The customer that an input names, by exactly one of its two ids."""

from uuid import UUID

from tortoise.backends.base.client import BaseDBAsyncClient

from billing.problems import RefusedError, problem


async def named_customer(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    customer_id: UUID | None,
    external_id: str | None,
) -> UUID:
    """The id of the customer.

    Args:
        connection: where to look.
        organization_id: whose customer it is.
        customer_id: its id, if that is how it is named.
        external_id: the caller's own id of it, if that is.

    Raises:
        RefusedError: there is none.
    """
    rows = await connection.execute_query_dict(
        "SELECT id FROM customer WHERE organization_id = $1 AND (id = $2 OR external_id = $3)",
        [organization_id, customer_id, external_id],
    )
    if not rows:
        field = "externalCustomerId" if customer_id is None else "customerId"
        raise RefusedError(problem("NOT_FOUND", "There is no customer with this id.", field))
    found: UUID = rows[0]["id"]
    return found
