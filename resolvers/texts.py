"""Checks of short texts that mutations store."""

from metering.language.metadata import text_problem
from schema.errors import ErrorCode, UserError, user_error

NAME = 256
UNIT = 64
EXTERNAL_ID = 256
EMAIL = 320
IDEMPOTENCY_KEY = 255
ADDRESS = 1_000
URL = 2_048


def check_texts(*texts: tuple[str, str | None, int]) -> list[UserError]:
    """What is wrong with (field, value, most characters); None and left out values are right."""
    errors = []
    for field, value, maximum in texts:
        if isinstance(value, str):
            problem = text_problem(value, maximum)
            if problem:
                errors.append(user_error(ErrorCode.INVALID, f"{field} {problem}", field))
    return errors
