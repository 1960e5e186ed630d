"""What billing refuses, as the errors of a payload."""

from billing.problems import RefusedError
from schema.errors import ErrorCode, UserError, user_error


def errors_of(refused: RefusedError) -> list[UserError]:
    """The problems as UserErrors."""
    return [
        user_error(ErrorCode[problem.code], problem.message, *problem.path)
        for problem in refused.problems
    ]
