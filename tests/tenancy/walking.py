"""A walk through everything that a token reaches from a place of the schema, field by field."""

from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLUnionType, get_named_type

from models import exact_json
from tests.graphql_client import Api
from tests.tenancy.places import SCHEMA, Place, arguments, selection

COMPOSITE = GraphQLObjectType | GraphQLInterfaceType | GraphQLUnionType
Own = Callable[[Place], Callable[[tuple[str, ...]], str]]


@dataclass(frozen=True)
class Step:
    """A field that was asked for, and what was answered: `text` is all of the answer."""

    name: str
    document: str
    answer: dict[str, Any]
    text: str

    @property
    def codes(self) -> set[str]:
        """The codes of its errors."""
        return {error["extensions"]["code"] for error in self.answer.get("errors", [])}


async def walk(api: Api, root: str, document: str, own: Own) -> AsyncIterator[Step]:
    """Every field of every type that is reached from `root`, each by one way.

    `document` has %s where a selection on `root` goes; `own` names what a field requires.
    """
    pending = deque([(object_type(root), document)])
    known = {root}
    while pending:
        type_, around = pending.popleft()
        for name, field in type_.fields.items():
            place = Place(type_.name, name, (), "")
            given = arguments(field, None, None, own(place))
            size = ["first: 3"] if "first" in field.args else []
            named = [f"{key}: {literal(value)}" for key, value in given.items()]
            passed = ", ".join([*named, *size])
            call = f"{name}({passed})" if passed else name
            inner = get_named_type(field.type)
            asked = around % f"{{ __typename {call} {selection(inner, 0)} }}"
            answer = await api.ask(asked)
            step = Step(f"{type_.name}.{name}", asked, answer, exact_json.dumps(answer))
            yield step
            if isinstance(inner, COMPOSITE):
                below = around % f"{{ __typename {call} %s }}"
                for one in objects_of(inner):
                    # Only what is there can be walked through.
                    if one.name not in known and f'"__typename":"{one.name}"' in step.text:
                        known.add(one.name)
                        inside = below % f"{{ ... on {one.name} %s }}"
                        pending.append((one, below if one is inner else inside))


def object_type(name: str) -> GraphQLObjectType:
    """The object type of this name."""
    found = SCHEMA.type_map[name]
    assert isinstance(found, GraphQLObjectType)
    return found


def objects_of(type_: Any) -> Sequence[GraphQLObjectType]:
    """The types that an object of a type may have."""
    if isinstance(type_, GraphQLObjectType):
        return [type_]
    return list(SCHEMA.get_possible_types(type_))


def literal(value: Any) -> str:
    """A value of an argument; capitals alone are of an enum."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(literal(item) for item in value) + "]"
    if isinstance(value, bool | int):
        return exact_json.dumps(value)
    text = str(value)
    return text if text.isalpha() and text.isupper() and text != "UTC" else f'"{text}"'
