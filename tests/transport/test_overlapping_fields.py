"""The linear rule for overlapping fields finds what graphql-core's own finds, and fast."""

import time

import pytest
from graphql import (
    OverlappingFieldsCanBeMergedRule,
    build_schema,
    parse,
    validate,
)
from hypothesis import given
from hypothesis import strategies as st

from tests.effort import examples
from transport.overlapping_fields import OverlappingFieldsRule

SCHEMA = build_schema(
    """
    interface Named { name: String id: ID! }
    type Dog implements Named { name: String id: ID! barks(loud: Boolean, at: Int): Boolean
                                owner: Person owners: [Person!]! size: Int }
    type Cat implements Named { name: String id: ID! meows(loud: Boolean): Int
                                owner: Person owners: [Person] size: Int! }
    type Person implements Named { name: String id: ID! pets: [Pet] pet(index: Int): Pet }
    union Pet = Dog | Cat
    type Query { pet: Pet person: Person named: Named dog: Dog cat: Cat }
    """
)

CONFLICTS = [
    "{ dog { a: name a: id } }",
    "{ dog { barks(loud: true) barks(loud: false) } }",
    "{ dog { barks barks(loud: false) } }",
    "{ pet { ... on Dog { x: barks } ... on Cat { x: meows } } }",
    "{ pet { ... on Dog { owners { id } } ... on Cat { owners { id } } } }",
    "{ pet { ... on Dog { size } ... on Cat { size } } }",
    "{ dog { owner { x: name } owner { x: id } } }",
    "{ pet { ... on Dog { owner { x: name } } ... on Cat { owner { x: pets { __typename } } } } }",
    "{ named { name } named { name: id } }",
    "{ dog { ...A ...B } } fragment A on Dog { x: name } fragment B on Dog { x: id }",
    "{ person { pet(index: 1) { __typename } ... on Named { pet: id } } }",
    "query ($v: Boolean) { dog { barks(loud: $v) barks(loud: true) } }",
]

MERGES = [
    "{ dog { name name } }",
    "{ dog { barks(loud: true, at: 1) barks(at: 1, loud: true) } }",
    "{ pet { ... on Dog { x: name } ... on Cat { x: name } } }",
    "{ pet { ... on Dog { name: name } ... on Cat { name: name } } }",
    "{ pet { ... on Dog { owner { name } } ... on Cat { owner { id } } } }",
    "{ pet { ... on Dog { owner { x: name } } ... on Cat { owner { x: name } } } }",
    "{ dog { ...A ...A } } fragment A on Dog { x: name }",
    "{ pet { ... on Dog { x: barks(loud: true) } ... on Cat { y: meows } } }",
    "query ($v: Boolean) { dog { barks(loud: $v) barks(loud: $v) } }",
]


@pytest.mark.parametrize(
    ("text", "conflicts"), [*((text, 1) for text in CONFLICTS), *((text, 0) for text in MERGES)]
)
def test_conflicts_are_found_and_nothing_else(text: str, conflicts: int) -> None:
    errors = validate(SCHEMA, parse(text), [OverlappingFieldsRule])
    assert len(errors) == conflicts
    theirs = validate(SCHEMA, parse(text), [OverlappingFieldsCanBeMergedRule])
    assert bool(theirs) is bool(conflicts)


FIELDS = ["name", "id", "size", "meows", "__typename", "barks(loud: true)"]
LEAVES = [*FIELDS, *(f"x: {field}" for field in FIELDS), "barks"]
TYPES = ["Dog", "Cat", "Named", "Person"]
BRANCHES = ["owner", "owners", "pets", "x: owner", "pet(index: 1)", "pet(index: 2)"]
BRANCHES += [f"... on {name}" for name in TYPES]


def _selections(depth: int, *spreads: str) -> st.SearchStrategy[str]:
    leaf = st.sampled_from([*LEAVES, *spreads])
    if not depth:
        return leaf
    inner = st.lists(_selections(depth - 1, *spreads), min_size=1, max_size=3).map(" ".join)
    return st.one_of(
        leaf,
        st.tuples(
            st.sampled_from(BRANCHES),
            inner,
        ).map(lambda pair: f"{pair[0]} {{ {pair[1]} }}"),
    )


@examples(400)
@given(
    st.sampled_from(["pet", "person", "named", "dog"]),
    # Each fragment spreads those after it, so that there are no cycles.
    st.lists(_selections(2, "...A", "...B"), min_size=1, max_size=4),
    st.lists(_selections(2, "...B"), min_size=1, max_size=4),
    st.lists(_selections(2), min_size=1, max_size=4),
)
def test_it_agrees_with_graphql_core(root: str, own: list[str], a: list[str], b: list[str]) -> None:
    text = (
        f"{{ {root} {{ {' '.join(own)} ...A ...B }} }}"
        f" fragment A on Dog {{ {' '.join(a)} }} fragment B on Cat {{ {' '.join(b)} }}"
    )
    document = parse(text)
    ours = validate(SCHEMA, document, [OverlappingFieldsRule])
    theirs = validate(SCHEMA, document, [OverlappingFieldsCanBeMergedRule])
    assert bool(ours) == bool(theirs), text


def test_many_fields_of_one_name_take_linear_time() -> None:
    document = parse("{ dog { " + "x: name " * 3000 + "} }")
    begun = time.thread_time()
    assert validate(SCHEMA, document, [OverlappingFieldsRule]) == []
    assert time.thread_time() - begun < 5  # graphql-core's own takes 20 seconds


@pytest.mark.parametrize(
    "text",
    [
        "{ person { ...A } } fragment A on Person { pets { ... on Dog { owner { ...A } } } }",
        (
            "{ person { ...A } } fragment A on Person { a: pets { ...B } b: pets { ...B } }"
            " fragment B on Dog { a: owner { ...A } b: owner { ...A } }"
        ),
    ],
)
def test_fragments_without_an_end_are_left_to_the_rule_about_them(text: str) -> None:
    assert validate(SCHEMA, parse(text), [OverlappingFieldsRule]) == []
