"""Column types that Tortoise lacks: exact numbers and exact JSON."""

from decimal import Decimal
from typing import Any

from tortoise.fields import Field
from tortoise.fields import JSONField as TortoiseJSONField
from tortoise.models import Model

from models import exact_json


class NumericField(Field[Decimal], Decimal):  # type: ignore[misc]  # as Tortoise's own fields: the value's type is the base
    """PostgreSQL `numeric` without a precision: every digit is kept.

    Tortoise's DecimalField asks for a precision and rounds to it past 28 digits.
    """

    SQL_TYPE = "NUMERIC"
    skip_to_python_if_native = True

    def to_python_value(self, value: Any) -> Decimal | None:
        """A Decimal with every digit, or None."""
        return None if value is None else Decimal(value)


class ExactJSONField(TortoiseJSONField[Any]):
    """`jsonb` read and written without floats: numbers with a fraction are Decimals."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.pop("encoder", None)
        kwargs.pop("decoder", None)
        super().__init__(encoder=exact_json.dumps, decoder=exact_json.loads, **kwargs)

    def to_db_value(self, value: Any, instance: type[Model] | Model) -> str | None:  # noqa: ARG002  # the base names it
        """Encodes every value: a str is a JSON string here, not JSON text."""
        self.validate(value)
        return None if value is None else exact_json.dumps(value)
