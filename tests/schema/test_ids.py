"""Global ids."""

from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from schema.ids import decode_id, encode_id, split_id

TYPES = st.sampled_from(["Meter", "Customer", "CustomerMeter"])


@given(TYPES, st.uuids())
def test_an_id_names_its_type_and_key(type_name: str, key: UUID) -> None:
    value = encode_id(type_name, key)
    assert split_id(value) == (type_name, key)
    assert decode_id(value, type_name) == key


@given(st.text())
def test_any_other_text_names_nothing(text: str) -> None:
    assert split_id(text) is None


def test_an_id_of_another_type_names_nothing() -> None:
    assert decode_id(encode_id("Meter", uuid4()), "Customer") is None


def test_a_row_has_one_id_only() -> None:
    value = encode_id("Meter", uuid4())
    assert split_id(value + "=") is None
    assert split_id(value + "\n") is None
    upper = encode_id("Meter", UUID(int=10)).replace("a", "A")
    assert split_id(upper) is None or encode_id(*(split_id(upper) or ("", UUID(int=0)))) == upper


def test_an_id_has_no_padding_and_needs_no_escaping() -> None:
    assert encode_id("Meter", UUID(int=1)).isascii()
    assert not set(encode_id("Meter", UUID(int=1))) & set("=+/")
