"""Reads fields that are plain attributes without the machinery of resolvers.

For every field, graphql-core makes a path, an info object and a dozen calls, in case the field
awaits or fails. But most fields of a page are attributes of objects that are already loaded. So
each selection is analysed once per operation, and those of its fields that are attributes, at any
depth, are read by functions made for them. If one fails, graphql-core executes the selection and
reports what is wrong and where.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
from types import NoneType
from typing import Any

from graphql import (
    GraphQLID,
    GraphQLLeafType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLString,
    TypeNameMetaFieldDef,
    Undefined,
    is_leaf_type,
)
from graphql.execution import Executor
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

Show = Callable[[Any], Any]
_MADE_OF = GraphQLCoreConverter.DEFINITION_BACKREF  # by which a definition names Strawberry's


class _NotPlainError(Exception):
    """Raised for a value that graphql-core must handle."""


@dataclass(frozen=True, slots=True)
class _Attribute:
    """How an attribute is serialized; values of the types in `kept` stay as they are."""

    name: str
    show: Show
    kept: frozenset[type]


@dataclass(frozen=True, slots=True)
class _Attributes:
    """Attributes that are read together, by response name.

    Most values need no serializing. Which ones do depends on the types of all values, and these are
    mostly the same from object to object. So the answer is computed once per tuple of types.
    """

    names: tuple[str, ...]
    shown: tuple[_Attribute, ...]
    read: Callable[[Any], tuple[Any, ...]]
    changed: dict[tuple[type, ...], list[tuple[str, Show]]]

    @classmethod
    def of(cls, fields: Mapping[str, _Attribute]) -> "_Attributes":
        """Those of some fields, by the names of these."""
        read = _reader([attribute.name for attribute in fields.values()])
        return cls(tuple(fields), tuple(fields.values()), read, {})

    def show(self, source: Any) -> dict[str, Any]:
        """Returns the serialized values of an object. Raises what reading raises."""
        values = self.read(source)
        types = tuple(map(type, values))
        changed = self.changed.get(types)
        if changed is None:
            changed = self.changed[types] = [
                (name, attribute.show)
                for name, attribute, type_ in zip(self.names, self.shown, types, strict=True)
                if type_ not in attribute.kept
            ]
        result = dict(zip(self.names, values, strict=True))
        for name, show in changed:
            result[name] = show(result[name])
        return result


@dataclass(frozen=True, slots=True)
class _Selection:
    """The fields selected on an object: those that are attributes, and the others."""

    fields: GroupedFieldSet
    attributes: _Attributes
    others: GroupedFieldSet


class PlainFieldsExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor with a fast path for attributes. No extension may wrap fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.selections: dict[int, _Selection] = {}
        # These are methods of this executor, so it would refer to itself, and everything that an
        # operation has read would wait for the garbage collector. No resolver uses them.
        none: Any = None
        self.async_helpers = none

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """Makes a copy for one event of a subscription, which has selection objects of its own."""
        executor: Any = super().build_per_event_executor(payload)
        executor.selections = {}
        made: Executor[Any] = executor
        return made

    def execute_fields(
        self,
        parent_type: GraphQLObjectType,
        source_value: Any,
        path: Path | None,
        grouped_field_set: GroupedFieldSet,
        position_context: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Returns the values of an object's selected fields, in order."""
        selection = self._selection(parent_type, grouped_field_set)
        others = selection.others
        shown: dict[str, Any] = {}
        try:
            shown = selection.attributes.show(source_value)
        except Exception:  # noqa: BLE001  # graphql-core runs into it again and reports it
            others = grouped_field_set
        if not others:
            return shown
        shown = {**dict.fromkeys(grouped_field_set), **shown}
        rest = super().execute_fields(parent_type, source_value, path, others, position_context)
        if isinstance(rest, Awaitable):
            return _completed(shown, rest)
        return {**shown, **rest}

    def _selection(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> _Selection:
        known = self.selections.get(id(fields))
        if known is None:
            found = {name: self._attribute(parent_type, field) for name, field in fields.items()}
            plain = {name: attribute for name, attribute in found.items() if attribute is not None}
            known = _Selection(
                fields,  # referenced, so that no other selection gets its id
                _Attributes.of(plain),
                {name: field for name, field in fields.items() if name not in plain},
            )
            self.selections[id(fields)] = known
        return known

    def _attribute(
        self, parent_type: GraphQLObjectType, field: FieldDetailsList
    ) -> _Attribute | None:
        """Returns the attribute behind a field; None if it does more than read attributes."""
        definition = self.schema.get_field(parent_type, field[0].node.name.value)
        if definition is TypeNameMetaFieldDef:
            return _Attribute("__class__", lambda _class: parent_type.name, frozenset())
        made = definition and definition.extensions.get(_MADE_OF)
        if not isinstance(made, StrawberryField) or not made.is_basic_field or not definition:
            return None
        show = self._shown(definition.type, field)
        return show and _Attribute(made.python_name, show, _kept(definition.type))

    def _shown(self, type_: GraphQLOutputType, field: FieldDetailsList) -> Show | None:
        """Returns a serializer for a type; None if that takes more than reading attributes."""
        if not isinstance(type_, GraphQLNonNull):
            show = self._shown(GraphQLNonNull(type_), field)
            return show and partial(_or_null, show)
        type_ = type_.of_type
        if is_leaf_type(type_):
            return _leaf(type_)
        if isinstance(type_, GraphQLList):
            item = self._shown(type_.of_type, field)
            return item and partial(_items, item)
        if isinstance(type_, GraphQLObjectType):
            fields, deferred, _ = self.collect_subfields(type_, field)
            selection = self._selection(type_, fields)
            if not selection.others and not deferred:
                return _object(type_, selection.attributes)
        return None


def _reader(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    # For one name, attrgetter returns no tuple; it does not take zero names.
    readers = [attrgetter(name) for name in names]
    return lambda source: tuple([read(source) for read in readers])


def _kept(type_: GraphQLOutputType) -> frozenset[type]:
    """Returns the types whose values need no serializing."""
    if not isinstance(type_, GraphQLNonNull):
        return _kept(GraphQLNonNull(type_)) | {NoneType}
    return frozenset({str} if type_.of_type in (GraphQLString, GraphQLID) else ())


def _or_null(show: Show, value: Any) -> Any:
    return None if value is None else show(value)


def _leaf(type_: GraphQLLeafType) -> Show:
    coerce = type_.coerce_output_value

    def show(value: Any) -> Any:
        shown = None if value is None else coerce(value)
        if shown is None or shown is Undefined:
            raise _NotPlainError
        return shown

    return show


def _items(show: Show, values: Any) -> list[Any]:
    if type(values) is not list:
        raise _NotPlainError
    return [show(value) for value in values]


def _object(type_: GraphQLObjectType, attributes: _Attributes) -> Show:
    own, show_attributes = type_.extensions[_MADE_OF].origin, attributes.show
    is_type_of: Any = type_.is_type_of

    def show(value: Any) -> dict[str, Any]:
        # Strawberry lets an object be cast to another type, which this code never does.
        if type(value) is not own and (
            value is None or (is_type_of is not None and is_type_of(value, None) is not True)
        ):
            raise _NotPlainError
        return show_attributes(value)

    return show


async def _completed(shown: dict[str, Any], rest: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    return {**shown, **await rest}
