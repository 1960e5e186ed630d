"""What an operation selects beneath a field, for what is read ahead only where it is asked for."""

from collections.abc import Iterable

from strawberry.types.nodes import FragmentSpread, InlineFragment, Selection

from schema.context import Info


def selects(info: Info, name: str) -> bool:
    """Whether a field of this name is selected at any depth; once too often does no harm."""
    return _selects(info.selected_fields, name)


def _selects(selections: Iterable[Selection], name: str) -> bool:
    return any(
        (not isinstance(selection, FragmentSpread | InlineFragment) and selection.name == name)
        or _selects(selection.selections, name)
        for selection in selections
    )
