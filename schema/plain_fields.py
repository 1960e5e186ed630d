"""Fields that are mere attributes, read without the machinery of resolvers.

graphql-core makes a path, a description of the execution and a dozen calls for a field, in case it
should wait, or fail; but most of what a page shows are attributes of what has been read. So each
selection is looked at once an operation, and what in it, all the way down, is attributes is read
by functions made for it. Where one fails, graphql-core shows the selection, and says what is wrong
and where.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from operator import attrgetter
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


class _NotPlainError(Exception):
    """A value that graphql-core has to judge."""


@dataclass(frozen=True, slots=True)
class _Selection:
    """The fields selected of an object: those that are attributes, and the others."""

    fields: GroupedFieldSet
    plain: dict[str, Show]
    others: GroupedFieldSet


class PlainFieldsExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor, with a short way to attributes. No extension may wrap fields."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.selections: dict[int, _Selection] = {}

    def build_per_event_executor(self, payload: Any) -> Executor[Any]:
        """A copy for one event of a subscription, which selects with objects of its own."""
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
        """Shows the selected fields of an object, in their order."""
        selection = self._selection(parent_type, grouped_field_set)
        shown: dict[str, Any] = dict.fromkeys(grouped_field_set)
        others = selection.others
        try:
            for name, show in selection.plain.items():
                shown[name] = show(source_value)
        except Exception:  # noqa: BLE001  # graphql-core meets it again, whatever it is
            others = grouped_field_set
        if not others:
            return shown
        rest = super().execute_fields(parent_type, source_value, path, others, position_context)
        if isinstance(rest, Awaitable):
            return _completed(shown, rest)
        return {**shown, **rest}

    def _selection(self, parent_type: GraphQLObjectType, fields: GroupedFieldSet) -> _Selection:
        known = self.selections.get(id(fields))
        if known is None:
            shows = {name: self._field(parent_type, field) for name, field in fields.items()}
            known = _Selection(
                fields,  # kept, so that no other selection gets its id
                {name: show for name, show in shows.items() if show is not None},
                {name: field for name, field in fields.items() if shows[name] is None},
            )
            self.selections[id(fields)] = known
        return known

    def _field(self, parent_type: GraphQLObjectType, field: FieldDetailsList) -> Show | None:
        """Shows a field of an object; None where it takes more than reading attributes."""
        definition = self.schema.get_field(parent_type, field[0].node.name.value)
        if definition is TypeNameMetaFieldDef:
            return lambda _source: parent_type.name
        made = definition and definition.extensions.get(GraphQLCoreConverter.DEFINITION_BACKREF)
        if not isinstance(made, StrawberryField) or not made.is_basic_field or not definition:
            return None
        return self._shown(attrgetter(made.python_name), definition.type, field)

    def _shown(self, read: Show, type_: GraphQLOutputType, field: FieldDetailsList) -> Show | None:
        """Shows what `read` reads; None where it takes more than reading attributes."""
        nullable = not isinstance(type_, GraphQLNonNull)
        if isinstance(type_, GraphQLNonNull):
            type_ = type_.of_type
        if is_leaf_type(type_):
            return _leaf(read, type_, nullable=nullable)
        if isinstance(type_, GraphQLList):
            item = self._shown(_itself, type_.of_type, field)
            return item and _composed(read, partial(_items, item), nullable=nullable)
        if isinstance(type_, GraphQLObjectType):
            fields, deferred, _ = self.collect_subfields(type_, field)
            selection = self._selection(type_, fields)
            if not selection.others and not deferred:
                show = partial(_fields, type_.is_type_of, tuple(selection.plain.items()))
                return _composed(read, show, nullable=nullable)
        return None


def _itself(value: Any) -> Any:
    return value


def _leaf(read: Show, type_: GraphQLLeafType, *, nullable: bool) -> Show:
    coerce, is_text = type_.coerce_output_value, type_ in (GraphQLString, GraphQLID)

    def show(source: Any) -> Any:
        value = read(source)
        if is_text and type(value) is str:
            return value
        if value is None and nullable:
            return None
        shown = None if value is None else coerce(value)
        if shown is None or shown is Undefined:
            raise _NotPlainError
        return shown

    return show


def _composed(read: Show, complete: Show, *, nullable: bool) -> Show:
    def show(source: Any) -> Any:
        value = read(source)
        return None if value is None and nullable else complete(value)

    return show


def _items(show: Show, values: Any) -> list[Any]:
    if type(values) is not list:
        raise _NotPlainError
    return [show(value) for value in values]


def _fields(
    is_type_of: Callable[[Any, Any], Any] | None, fields: tuple[tuple[str, Show], ...], value: Any
) -> dict[str, Any]:
    if value is None or (is_type_of is not None and is_type_of(value, None) is not True):
        raise _NotPlainError
    return {name: show(value) for name, show in fields}


async def _completed(shown: dict[str, Any], rest: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    return {**shown, **await rest}
