"""What the audit log shows of an input: no secrets, and not too much."""

import dataclasses
import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
import strawberry
from graphql import GraphQLInputObjectType, get_named_type

from models import exact_json
from schema.audit_log.shown_input import LONGEST_TEXT, MOST_CHARACTERS, shown_input
from schema.inputs.customers import CustomerSessionRevokeInput, CustomerUpdateInput
from schema.secrets import BROWSER_PREFIX, PREFIX, SESSION_PREFIX, new_secret
from tests.schema_execution import GRAPHQL_SCHEMA

INPUTS = [
    type_ for type_ in GRAPHQL_SCHEMA.type_map.values() if isinstance(type_, GraphQLInputObjectType)
]


@pytest.mark.parametrize("prefix", [PREFIX, SESSION_PREFIX, BROWSER_PREFIX, "whsec_"])
def test_a_secret_is_hidden_wherever_it_is(prefix: str) -> None:
    secret = new_secret(prefix)
    sent = {"a": secret, "b": [f"({secret})"], "c": {"d": f"Bearer {secret}", "e": "mg_ab"}}
    assert shown_input(sent) == {
        "a": "[secret]",
        "b": ["([secret])"],
        "c": {"d": "Bearer [secret]", "e": "mg_ab"},
    }


def test_the_password_of_a_url_is_hidden() -> None:
    sent = {"url": "https://user:word@example.com/hook"}
    assert shown_input(sent) == {"url": "https://[secret]@example.com/hook"}


def test_a_token_is_hidden_even_if_it_is_none() -> None:
    assert shown_input(CustomerSessionRevokeInput(token="oops")) == {"token": "[secret]"}


def test_texts_that_are_named_like_secrets_are_hidden() -> None:
    """A field with a secret that is called otherwise is to be added to the names."""
    named = {
        field
        for type_ in INPUTS
        for field, definition in type_.fields.items()
        if get_named_type(definition.type).name == "String"
        and re.search("token|secret|password|credential|signature|privateKey", field, re.IGNORECASE)
    }
    assert named >= {"token"}
    for field in named:
        assert shown_input({field: "anything"}) == {field: "[secret]"}, field


def test_fields_have_the_names_and_forms_of_the_api() -> None:
    @dataclasses.dataclass
    class Options:
        raw: dict[str, Any]

    assert shown_input(
        CustomerUpdateInput(id=strawberry.ID("x"), external_id="acme", email=None)
    ) == {
        "id": "x",
        "externalId": "acme",
        "email": None,
    }
    raw = {"at": datetime(2026, 1, 1, tzinfo=UTC), "units": Decimal("1.50"), "n": 2**70}
    assert shown_input(Options(raw)) == {"at": "2026-01-01T00:00:00Z", "units": "1.5", "n": 2**70}


def test_a_long_text_is_cut_and_says_so() -> None:
    shown = shown_input({"name": "x" * (LONGEST_TEXT + 1234)})
    assert shown == {"name": "x" * LONGEST_TEXT + "… [cut: 1,234 more characters]"}
    assert shown_input({"name": "x" * LONGEST_TEXT}) == {"name": "x" * LONGEST_TEXT}


def test_a_huge_input_is_cut_and_says_so() -> None:
    shown = shown_input({"ids": ["x" * 99] * 1_000, "more": 1, "rest": 2})
    assert shown["ids"][:200] == ["x" * 99] * 200
    assert shown["ids"][-1] == f"… [cut: {1_000 - len(shown['ids']) + 1:,} more items]"
    assert shown["…"] == "… [cut: 2 more fields]"
    wide = {f"k{number}": {"deep": [number] * 9} for number in range(100_000)}
    assert len(exact_json.dumps(shown_input(wide))) < 3 * MOST_CHARACTERS


def test_what_postgresql_cannot_store_is_replaced() -> None:
    assert shown_input({"a\0": "b\0\ud800c"}) == {"a\ufffd": "b\ufffd\ufffdc"}
