"""What a mutation refuses, as the errors of a payload."""

from billing.problems import RefusedError, problem
from models import Customer
from schema.context import Context
from schema.customers import find_customer
from schema.errors import ErrorCode, UserError, user_error


def errors_of(refused: RefusedError) -> list[UserError]:
    """The problems as UserErrors."""
    return [
        user_error(ErrorCode[problem.code], problem.message, *problem.path)
        for problem in refused.problems
    ]


async def named_customer(
    context: Context, customer_id: str | None, external_id: str | None
) -> Customer:
    """The customer that an input names by exactly one of the two ids.

    Raises RefusedError where it names none, or both, or one that is not there.
    """
    if (customer_id is None) == (external_id is None):
        message = "Give exactly one of customerId and externalCustomerId."
        raise RefusedError(problem("INVALID", message))
    row = await find_customer(context, customer_id, external_id)
    if row is None:
        field = "externalCustomerId" if customer_id is None else "customerId"
        raise RefusedError(problem("NOT_FOUND", "There is no customer with this id.", field))
    return row
