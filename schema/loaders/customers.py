"""Reading customers."""

from uuid import UUID

from metering.ingest.customers import is_external_id
from metering.language.parameters import Parameters
from models import Customer
from schema.loaders.sources import SQLSource, model_of
from schema.loaders.tables import OLDEST_FIRST


def customers_source(organization_id: UUID, text: str | None = None) -> SQLSource[Customer]:
    """The organization's customers, oldest first.

    With `text`, those that have it in their external id, name or email. Case is ignored.
    """

    def conditions(parameters: Parameters) -> list[str]:
        found = [f"c.organization_id = {parameters.add(organization_id, 'uuid')}"]
        if text:
            mark = f"lower({parameters.add(text, 'text')} COLLATE any_case)"
            columns = ("c.external_id", "c.name", "c.email")
            has_it = (f"strpos(lower({column} COLLATE any_case), {mark}) > 0" for column in columns)
            found.append(f"({' OR '.join(has_it)})")
        return found

    return SQLSource(
        columns="c.*",
        table="customer",
        conditions=conditions,
        alias="c",
        keyset=OLDEST_FIRST,
        make=model_of(Customer),
        empty=text is not None and not is_text(text),
    )


async def customer_by_external_id(organization_id: UUID, external_id: str) -> Customer | None:
    """The customer that the caller knows by this id."""
    if not is_external_id(external_id):
        return None
    return await Customer.get_or_none(organization_id=organization_id, external_id=external_id)


def is_text(value: str) -> bool:
    """Whether PostgreSQL can hold the text: no NUL, no lone surrogates."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in value
