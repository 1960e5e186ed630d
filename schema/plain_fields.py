"""Reads fields that are plain attributes without the machinery of resolvers.

For every field, graphql-core makes a path, an info object and a dozen calls, in case the field
awaits or fails. But most fields of a page are attributes of objects that are already loaded, or
methods that compute something from them. So each selection is analysed once, and its fields that
are attributes or such methods, at any depth, are read by a function written for them. If it fails,
graphql-core executes the selection and reports what is wrong and where. A method may then run
twice.
"""

from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLSchema,
    OperationType,
    TypeNameMetaFieldDef,
    is_leaf_type,
)
from graphql.execution import Executor, default_field_resolver, default_type_resolver
from graphql.execution.collect_fields import FieldDetailsList, GroupedFieldSet
from graphql.execution.values import VariableValues
from graphql.pyutils import AwaitableOrValue, Path
from strawberry.execution import optimized_is_awaitable
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.field import StrawberryField

from schema.plain_readers import Expression, Read, Reader
from schema.plans import EXTENSION, Plan, Plans, Shape

_MADE_OF = GraphQLCoreConverter.DEFINITION_BACKREF  # by which a definition names Strawberry's


@dataclass(frozen=True, slots=True)
class _Selection:
    """The fields selected on an object: those that `read` reads, and the others."""

    fields: GroupedFieldSet  # referenced, so that no other selection gets its id
    read: Read
    others: GroupedFieldSet


class PlainFieldsExecutor(StrawberryGraphQLCoreExecutionContext):
    """Strawberry's executor with a fast path for attributes. No extension may wrap fields."""

    def __init__(self, *args: Any, shape: Shape | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.take(shape or Shape())
        # These are methods of this executor, so it would refer to itself, and everything that an
        # operation has read would wait for the garbage collector. No resolver uses them.
        none: Any = None
        self.async_helpers = none

    @classmethod
    def build(
        cls,
        schema: GraphQLSchema,
        document: DocumentNode,
        root_value: Any = None,
        context_value: Any = None,
        raw_variable_values: dict[str, Any] | None = None,
        operation_name: str | None = None,
        *args: Any,
        **kwargs: Any,
    ) -> list[GraphQLError] | Executor[Any]:
        """Builds the executor of an operation, with what its document's plan has."""
        executor = super().build(
            schema,
            document,
            root_value,
            context_value,
            raw_variable_values,
            operation_name,
            *args,
            **kwargs,
        )
        plans: Plans | None = schema.extensions.get(EXTENSION)
        plan = plans and plans.find(schema, document, operation_name)
        if plan and isinstance(executor, PlainFieldsExecutor):
            executor.take(plan.shape(executor.variable_values.coerced))
        return executor

    @classmethod
    def of_plan(
        cls,
        plan: Plan,
        variables: dict[str, Any],
        context: Any,
        operation_extensions: dict[str, Any] | None,
    ) -> "PlainFieldsExecutor | None":
        """Makes the executor of a planned query or mutation; None if `build` has to say why not."""
        values = plan.variables(variables)
        return None if values is None else cls._planned(plan, values, context, operation_extensions)

    @classmethod
    def _planned(
        cls,
        plan: Plan,
        values: VariableValues,
        context: Any,
        operation_extensions: dict[str, Any] | None,
    ) -> "PlainFieldsExecutor":
        return cls(
            plan.schema,
            plan.fragment_definitions,
            plan.fragments,
            None,
            context,
            plan.operation,
            values,
            default_field_resolver,
            default_type_resolver,
            default_field_resolver,
            is_awaitable=optimized_is_awaitable,
            operation_extensions=operation_extensions,
            shape=plan.shape(values.coerced),
        )

    def take(self, shape: Shape) -> None:
        """Selects what a shape does, from which it takes what is known and where it keeps more."""
        self.shape = shape
        self._relevant_sub_fields = shape.below

    async def answer(self) -> ExecutionResult:
        """Returns the result of a query or a mutation; every failure is an error of it."""
        try:
            found: Any = self.execute_operation()
            result: ExecutionResult = await found if isinstance(found, Awaitable) else found
        except GraphQLError as error:
            return ExecutionResult(None, [error])
        except Exception as error:  # noqa: BLE001  # as Strawberry does
            return ExecutionResult(None, [GraphQLError(str(error), original_error=error)])
        return result

    def execute_operation(self, serially: bool | None = None) -> AwaitableOrValue[Any]:
        """Returns the result, for whose first run graphql-core collects the fields."""
        fields, operation = self.shape.root, self.operation.operation
        root_type = self.schema.get_root_type(operation)
        if fields is None or root_type is None:
            return super().execute_operation(serially)
        one_by_one = operation is OperationType.MUTATION if serially is None else serially
        try:
            data = self.execute_root_grouped_field_set(
                root_type, self.root_value, fields, one_by_one, None
            )
        except GraphQLError as error:
            return self._without_data(error)
        return self._awaited(data) if isinstance(data, Awaitable) else self.build_response(data)

    async def _awaited(self, data: Awaitable[dict[str, Any]]) -> Any:
        try:
            return self.build_response(await data)
        except GraphQLError as error:
            return self._without_data(error)

    def _without_data(self, error: GraphQLError) -> Any:
        self.collected_errors.add(error, None)
        return self.build_response(None)

    def execute_collected_root_fields(
        self,
        root_type: GraphQLObjectType,
        root_value: Any,
        grouped_field_set: GroupedFieldSet,
        serially: bool,
        new_defer_usages: Any,
    ) -> AwaitableOrValue[dict[str, Any]]:
        """Executes the collected fields of the operation, and keeps them for its next run."""
        if not new_defer_usages:
            self.shape.root = grouped_field_set
        return super().execute_collected_root_fields(
            root_type, root_value, grouped_field_set, serially, new_defer_usages
        )

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
            shown = selection.read(source_value)
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
        known: _Selection | None = self.shape.kept.get(id(fields))
        if known is None:
            reader = Reader()
            plain, others = {}, {}
            for name, field in fields.items():
                found = self._plain(reader, parent_type, field)
                if found is None:
                    others[name] = field
                else:
                    plain[name] = found
            known = _Selection(fields, reader.written(plain), others)
            self.shape.kept[id(fields)] = known
        return known

    def _plain(
        self, reader: Reader, parent_type: GraphQLObjectType, field: FieldDetailsList
    ) -> tuple[str, Expression] | None:
        """Returns what to read for a field; None if it takes a resolver."""
        definition = self.schema.get_field(parent_type, field[0].node.name.value)
        if definition is TypeNameMetaFieldDef:
            return reader.constant(parent_type.name)
        made = definition and definition.extensions.get(_MADE_OF)
        if not isinstance(made, StrawberryField) or not definition:
            return None
        source = _source(reader, made)
        shown = source and self._shown(reader, definition.type, field)
        return (source, shown) if source and shown else None

    def _shown(
        self, reader: Reader, type_: GraphQLOutputType, field: FieldDetailsList
    ) -> Expression | None:
        """Returns a serializer for a type; None if that takes more than reading attributes."""
        if not isinstance(type_, GraphQLNonNull):
            show = self._shown(reader, GraphQLNonNull(type_), field)
            return show and reader.or_null(show)
        type_ = type_.of_type
        if is_leaf_type(type_):
            return reader.leaf(type_)
        if isinstance(type_, GraphQLList):
            item = self._shown(reader, type_.of_type, field)
            return item and reader.items(item)
        if isinstance(type_, GraphQLObjectType):
            fields, deferred, _ = self.collect_subfields(type_, field)
            selection = self._selection(type_, fields)
            if not selection.others and not deferred:
                # Strawberry lets an object be cast to another type, which this code never does.
                own = type_.extensions[_MADE_OF].origin
                return reader.object(own, type_.is_type_of, selection.read)
        return None


def _source(reader: Reader, made: StrawberryField) -> str | None:
    """Returns the attribute or method that has a field's value; None for other resolvers."""
    if made.is_basic_field:
        return reader.attribute(made.python_name)
    resolver = made.base_resolver
    if resolver is None or made.is_async or made.extensions or made.is_subscription:
        return None
    is_method = list(resolver.signature.parameters) == ["self"]
    return reader.method(resolver.wrapped_func) if is_method else None


async def _completed(shown: dict[str, Any], rest: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    return {**shown, **await rest}
