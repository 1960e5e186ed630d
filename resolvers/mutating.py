"""Runs every mutation: checks permissions and what its answer may show, repeats, the audit log."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from enum import Enum
from typing import Any, assert_never

from graphql import FieldNode, InlineFragmentNode, get_named_type
from strawberry.extensions.field_extension import AsyncExtensionResolver
from strawberry.types.field import StrawberryField
from tortoise.backends.base.client import BaseDBAsyncClient
from tortoise.transactions import in_transaction

from metering.problems import RefusedError
from resolvers.once import carried_out_once
from schema import repeating
from schema.audit_log.entries import actor_of, objects_of, write_entry
from schema.audit_log.shown_input import shown_input
from schema.context import Context, Info, Scope, TokenIdentity
from schema.errors import Forbidden, UserError
from schema.permissions import ACCESS, Requires
from waiting.outages import cut_off_is_outage

_FREE = {"id", "__typename"}


class Audited(Enum):
    """How a mutation gets its entry of the audit log."""

    IN_ITS_TRANSACTION = "The mutation's transactions are savepoints of the one with the entry."
    AFTERWARDS = "It needs transactions of its own. A process killed between loses the entry."
    NOT = "There are too many calls, and what they store can be read."


class Mutates(Requires):
    """Lets a mutation run as `Requires` does, once for each idempotency key, and audits it.

    A mutation that is refused leaves no entry in the audit log. Nor does a repeat, which changes
    nothing.

    An answer shows only what the caller may read. If the caller may not read an object, only its id
    may be selected. This is checked before the mutation runs.
    """

    def __init__(
        self,
        scopes: tuple[Scope, ...],
        *,
        and_: Scope | None,
        makes: Sequence[str],
        is_repeatable: Callable[[Any], bool],
        first: Callable[[Context, Any], Awaitable[None]] | None,
        audited: Audited,
        shown: Callable[[Any], dict[str, Any]],
    ) -> None:
        super().__init__(scopes, and_=and_)
        self.makes = makes
        self.is_repeatable = is_repeatable
        self.first = first
        self.audited = audited
        self.shown = shown

    def apply(self, field: StrawberryField) -> None:
        """Describes the argument `input`; its type describes the rest."""
        for argument in field.arguments:
            argument.description = "The input."

    async def resolve_async(
        self, next_: AsyncExtensionResolver, source: Any, info: Info, **kwargs: Any
    ) -> Any:
        """Checks, then runs the mutation, or returns what it made the first time.

        A RefusedError becomes the errors of the payload.
        """
        self.check(info.context)
        _check_answer(info)
        sent = kwargs["input"]
        is_keyed = bool(self.makes) and sent.idempotency_key is not None
        repeating.begin(lambda: is_keyed or self.is_repeatable(sent))

        async def run() -> Any:
            return await self._audit(info, sent, lambda: next_(source, info, **kwargs))

        with cut_off_is_outage():  # a smaller request would not help
            try:
                if self.first is not None:
                    await self.first(info.context, sent)
                if not is_keyed:
                    return await run()
                return await carried_out_once(info, sent, self.makes, run)
            except RefusedError as refused:
                payload_type: Any = info.return_type
                return payload_type(user_errors=[UserError.of(one) for one in refused.problems])

    async def _audit(self, info: Info, sent: Any, run: Callable[[], Awaitable[Any]]) -> Any:
        """Runs the mutation and writes its entry."""
        match self.audited:
            case Audited.NOT:
                return await run()
            case Audited.AFTERWARDS:
                payload = await run()
                async with in_transaction() as connection:
                    await _write_entry(connection, info, self.shown(sent), payload)
                return payload
            case Audited.IN_ITS_TRANSACTION:
                async with in_transaction() as connection:
                    payload = await run()
                    await _write_entry(connection, info, self.shown(sent), payload)
                    return payload
        assert_never(self.audited)


async def _write_entry(
    connection: BaseDBAsyncClient, info: Info, shown: dict[str, Any], payload: Any
) -> None:
    if payload.user_errors:
        return
    context = info.context
    await write_entry(
        connection,
        context.organization_id,
        actor_of(context),
        info.field_name,
        objects_of(payload),
        shown,
    )


def mutates(
    *scopes: Scope,
    and_: Scope | None = None,
    makes: str | None = None,
    also: str | None = None,
    is_repeatable: Callable[[Any], bool] = lambda _sent: False,
    first: Callable[[Context, Any], Awaitable[None]] | None = None,
    audited: Audited = Audited.IN_ITS_TRANSACTION,
    shown: Callable[[Any], dict[str, Any]] = shown_input,
) -> Mutates:
    """A mutation for tokens with any one of `scopes`, and with the scope `and_` besides.

    `makes` names the payload's field with the object that is made or changed. The mutation then
    takes an `idempotencyKey`, which its input type must have. `also` names the field with another
    object, which may be null. `is_repeatable` tells whether an input can be sent again without a
    key. `first` runs before the mutation's transaction begins. `shown` writes the input for the
    entry in the audit log.
    """
    return Mutates(
        scopes,
        and_=and_,
        makes=[name for name in (makes, also) if name is not None],
        is_repeatable=is_repeatable,
        first=first,
        audited=audited,
        shown=shown,
    )


def _check_answer(info: Info) -> None:
    """Raises Forbidden if the answer would show what the caller may not read."""
    raw: Any = info._raw_info  # noqa: SLF001  # Strawberry's own copies all that is selected
    for type_name, field in _selected(raw):
        if type_name in ACCESS and field not in _FREE:
            _check_object(info.context, type_name, field)


def _check_object(context: Context, type_name: str, field: str) -> None:
    identity = context.identity
    access = ACCESS[type_name]
    if access.changing and isinstance(identity, TokenIdentity) and identity.has(access.changing):
        return
    try:
        access.reading.check(context)
    except Forbidden as forbidden:
        message = f"{forbidden.message}, which {type_name}.{field} in the answer needs"
        raise Forbidden(message) from None


def _selected(raw: Any) -> Iterator[tuple[str, str]]:
    """Returns the type and the name of every field that is selected below a field, at any depth."""
    types = raw.schema.type_map
    pending: list[tuple[Any, Any]] = [
        (get_named_type(raw.return_type), field.selection_set) for field in raw.field_nodes
    ]
    seen: set[str] = set()
    while pending:
        type_, selected = pending.pop()
        for node in selected.selections:
            if isinstance(node, FieldNode):
                yield type_.name, node.name.value
                if node.selection_set is not None:
                    beneath = get_named_type(type_.fields[node.name.value].type)
                    pending.append((beneath, node.selection_set))
            elif isinstance(node, InlineFragmentNode):
                condition = node.type_condition
                narrowed = types[condition.name.value] if condition else type_
                pending.append((narrowed, node.selection_set))
            elif node.name.value not in seen:
                seen.add(node.name.value)
                fragment = raw.fragments[node.name.value]
                narrowed = types[fragment.type_condition.name.value]
                pending.append((narrowed, fragment.selection_set))
