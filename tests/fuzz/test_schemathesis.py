"""No operation that schemathesis writes, with any scope, causes an internal error or hangs."""

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from graphql import FloatValueNode, IntValueNode, ObjectFieldNode, ObjectValueNode, StringValueNode
from graphql.language import NameNode
from hypothesis import given
from hypothesis import strategies as st
from schemathesis.core.result import Ok

from models import Organization, exact_json
from schema.context import Scope
from tests.effort import examples
from tests.serving import new_token
from tests.tenancy.world import Tenant

EXAMPLES = 15  # for each of some 40 root fields: under a minute in all
SECONDS = 60
OUR_FAULT = "INTERNAL"

_KINDS = ("Customer", "Meter", "Event", "Product", "CustomerSubscription", "Invoice", "CreditEntry")


def _texts(*texts: str) -> st.SearchStrategy[StringValueNode]:
    return st.sampled_from(texts).map(lambda text: StringValueNode(value=text))


_numbers = st.one_of(
    st.integers().map(lambda number: IntValueNode(value=str(number))),
    st.decimals(allow_nan=False, allow_infinity=False).map(
        lambda number: FloatValueNode(value=f"{number:e}")
    ),
)
_instants = st.datetimes().map(lambda at: StringValueNode(value=f"{at.isoformat()}Z"))
_scalars: dict[str, st.SearchStrategy[Any]] = {
    # Ids that are there: they are put in for these words.
    "ID": _texts("", "nobody", *(f"<{kind}>" for kind in _KINDS)),
    "DateTime": _instants,
    "Decimal": st.one_of(
        _numbers,
        st.from_regex(r"-?[0-9]{1,30}\.[0-9]{1,12}", fullmatch=True).map(
            lambda text: StringValueNode(value=text)
        ),
    ),
    "BigInt": st.integers(-(2**64), 2**64).map(lambda number: IntValueNode(value=str(number))),
    "ClauseValue": st.one_of(_numbers, _texts("", "x", "12.50", "true", "007")),
    "CurrencyCode": _texts("USD", "EUR", "usd"),
    "JSONObject": st.dictionaries(
        st.sampled_from(["tokens", "model", "a", "b"]), _numbers, max_size=3
    ).map(
        lambda found: ObjectValueNode(
            fields=tuple(
                ObjectFieldNode(name=NameNode(value=name), value=value)
                for name, value in found.items()
            )
        )
    ),
}
for _name, _strategy in _scalars.items():
    schemathesis.graphql.scalar(_name, _strategy)

_SCHEMA = schemathesis.graphql.from_path(Path(__file__).parents[2] / "schema.graphql")
OPERATIONS = {
    found.ok().label: found.ok() for found in _SCHEMA.get_all_operations() if isinstance(found, Ok)
}


@pytest.fixture
async def secrets(organization: Organization) -> list[str]:
    """A token for everything, and one for each scope."""
    return [await new_token(organization, scope) for scope in (Scope.ADMIN, *Scope)]


@pytest.mark.parametrize("label", OPERATIONS)
@examples(EXAMPLES)
@given(data=st.data())
async def test_no_operation_causes_an_internal_error_or_hangs(
    tenant: Tenant, secrets: list[str], label: str, data: st.DataObject
) -> None:
    case = data.draw(OPERATIONS[label].as_strategy())
    secret = data.draw(st.sampled_from(secrets))
    query = re.sub(r"<(\w+)>", lambda found: tenant.ids[found[1]], str(case.body))
    async with asyncio.timeout(SECONDS):
        response = await tenant.api.with_secret(secret).post({"query": query})
    answer = exact_json.loads(response.content)
    codes = {error["extensions"]["code"] for error in answer.get("errors", [])}
    assert OUR_FAULT not in codes, answer
    assert response.status_code < 500


def test_it_tries_every_root_field() -> None:
    assert len(OPERATIONS) >= 36
