"""Writes functions that read the plain fields of an object: attributes, and methods of no argument.

A function for `{ name count parts { price } }` is

    def read(source):
        v0 = source.name
        v1 = p0(source)
        v2 = source.parts
        return {
            "name": v0 if type(v0) is str else p1(v0),
            "count": v1 if type(v1) is int and -2147483648 <= v1 <= 2147483647 else p2(v1),
            "parts": [(p4(x) if type(x) is p3 else p5(x)) for x in v2]
            if type(v2) is list else p6(v2),
        }

with a serializer for each leaf. It raises something for any value that graphql-core must handle.
Only names of Python attributes and of GraphQL responses become code.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from graphql import (
    GraphQLBoolean,
    GraphQLID,
    GraphQLInt,
    GraphQLLeafType,
    GraphQLString,
    Undefined,
)

Read = Callable[[Any], dict[str, Any]]

Expression = Callable[[str], str]
"""Writes the serialized value of a variable."""

# When a value needs no serializing.
_KEPT: dict[object, str] = {
    GraphQLString: "type({0}) is str",
    GraphQLID: "type({0}) is str",
    GraphQLBoolean: "type({0}) is bool",
    GraphQLInt: "type({0}) is int and -2147483648 <= {0} <= 2147483647",
}


class NotPlainError(Exception):
    """Raised for a value that graphql-core must handle."""


@dataclass
class Reader:
    """A function being written, with the values that its code refers to."""

    bound: dict[str, Any] = field(default_factory=dict)

    def bind(self, value: Any) -> str:
        """Returns a name for a value."""
        name = f"p{len(self.bound)}"
        self.bound[name] = value
        return name

    def leaf(self, type_: GraphQLLeafType) -> Expression:
        """Serializes a scalar or an enum."""
        coerce, undefined, refuse = map(self.bind, (type_.coerce_output_value, Undefined, _refuse))
        shown = (
            f"(t if {{0}} is not None and (t := {coerce}({{0}})) is not None"
            f" and t is not {undefined} else {refuse}({{0}}))"
        )
        kept = _KEPT.get(type_)
        return (shown if kept is None else f"({{0}} if {kept} else {shown})").format

    def items(self, item: Expression) -> Expression:
        """Serializes a list."""
        refuse = self.bind(_refuse)
        # Brackets have a scope of their own, so the variable may be the same in lists of lists.
        return f"([{item('x')} for x in {{0}}] if type({{0}}) is list else {refuse}({{0}}))".format

    def object(self, own: type, is_type_of: Any, read: Read) -> Expression:
        """Serializes an object of the class `own`, or of another one that is of the type."""

        def read_other(value: Any) -> dict[str, Any]:
            if value is None or (is_type_of is not None and is_type_of(value, None) is not True):
                raise NotPlainError
            return read(value)

        names = [self.bind(part) for part in (read, own, read_other)]
        return "({1}({0}) if type({0}) is {2} else {3}({0}))".format("{0}", *names).format

    @staticmethod
    def or_null(shown: Expression) -> Expression:
        """Serializes a value that may be null."""
        return f"(None if {{0}} is None else {shown('{0}')})".format

    def attribute(self, name: str) -> str:
        """Reads an attribute of the object."""
        return f"source.{name}"

    def method(self, function: Any) -> str:
        """Reads what a method returns."""
        return f"{self.bind(function)}(source)"

    def constant(self, value: str) -> tuple[str, Expression]:
        """Reads nothing."""
        return self.bind(value), str

    def written(self, fields: Mapping[str, tuple[str, Expression]]) -> Read:
        """Returns the function that reads fields: where from, as Python, and what to make of it."""
        lines = [f"    v{number} = {source}" for number, (source, _) in enumerate(fields.values())]
        shown = ", ".join(
            f"{name!r}: {expression(f'v{number}')}"
            for number, (name, (_, expression)) in enumerate(fields.items())
        )
        code = "\n".join(["def read(source):", *lines, f"    return {{{shown}}}"])
        namespace = dict(self.bound)
        exec(code, namespace)  # noqa: S102  # see the module for what it is made of
        read: Read = namespace["read"]
        return read


def _refuse(_value: Any) -> NoReturn:
    raise NotPlainError
