"""A change that breaks clients is declared in the changelog, or it does not land.

`released.graphql` is the schema that clients have coded against. Whoever releases a version copies
schema.graphql over it, under the version's heading in the changelog.
"""

import re
from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema
from graphql.utilities import DangerousChangeType, find_breaking_changes, find_dangerous_changes

from resolvers.print_schema import printed_schema

HERE = Path(__file__).parent
RELEASED = (HERE / "released.graphql").read_text()
CHANGELOG = (HERE.parents[1] / "CHANGELOG.md").read_text()

# graphql-core also calls additions dangerous: clients take an enum value that they do not know
# for a bug, but the contract says that values may be added.
_BREAKS_TOO = {DangerousChangeType.ARG_DEFAULT_VALUE_CHANGE}


def declared(changelog: str) -> str:
    """What the changelog says under `### Breaking` of what is not yet released."""
    unreleased = re.search(
        r"^## \[Unreleased\]\n(.*?)(?=^## \[|\Z)", changelog, re.MULTILINE | re.DOTALL
    )
    assert unreleased is not None
    found = re.search(r"^### Breaking\n(.*?)(?=^### |\Z)", unreleased[1], re.MULTILINE | re.DOTALL)
    return " ".join(found[1].split()) if found else ""


def undeclared(old: GraphQLSchema, new: GraphQLSchema, changelog: str) -> list[str]:
    """Breaking changes that nobody has declared, as sentences that can be put there."""
    changes = [change.description for change in find_breaking_changes(old, new)] + [
        change.description
        for change in find_dangerous_changes(old, new)
        if change.type in _BREAKS_TOO
    ]
    said = declared(changelog)
    return [change for change in changes if change not in said]


def test_breaking_changes_are_declared() -> None:
    found = undeclared(build_schema(RELEASED), build_schema(printed_schema()), CHANGELOG)
    assert found == [], "declare these sentences under `### Breaking` in CHANGELOG.md"


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ("  viewer: Customer\n", "  me: Customer\n", "Query.viewer was removed."),
        ("  createdAt: DateTime!\n", "  createdAt: DateTime\n", "createdAt"),
        ('timezone: String! = "UTC"', 'timezone: String! = "GMT"', "timezone"),
        ("enum Interval {", "enum Span {", "Interval was removed."),
    ],
)
def test_a_breaking_change_is_found_until_it_is_declared(
    before: str, after: str, sentence: str
) -> None:
    changed = RELEASED.replace(before, after)
    if before.startswith("enum"):
        changed = changed.replace("interval: Interval!", "interval: Span!")
    assert changed != RELEASED
    old, new = build_schema(RELEASED), build_schema(changed)
    found = undeclared(old, new, CHANGELOG)
    assert any(sentence in change for change in found)
    told = "\n".join(f"- {change}" for change in found)
    changelog = f"## [Unreleased]\n\n### Breaking\n\n{told}\n\n## [0.0.1]\n"
    assert undeclared(old, new, changelog) == []


def test_an_addition_is_not_a_breaking_change() -> None:
    changed = RELEASED.replace("  viewer: Customer\n", "  viewer: Customer\n  news: String\n")
    assert undeclared(build_schema(RELEASED), build_schema(changed), CHANGELOG) == []
