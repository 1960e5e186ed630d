"""Random filters and events that often meet: few keys, values from one pool of nasty ones."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

KEYS = ["n", "a", "b", "a.b", "a.b.c", "name", "timestamp", "metadata", "0", "k'\"\\", "é", "a."]
PROPERTIES = [
    *KEYS,
    "metadata.name",
    "metadata.timestamp",
    "metadata.metadata.a",
    "metadata.a.b",
    "a.0",
    "b.a",
    "missing",
    "n'; DROP TABLE event; --",
]
NAMES = ["ai_usage", "video", "1", "1.0", "true", "", "ß", "'; --", "\uff11"]
STRINGS = [
    *NAMES,
    *["007", "-0", "0", "1E5", "100000", "1e5", "12.50", "12.5", "4o-mini", "4.10", "+1", ".5"],
    *["5.", " 1", "1 ", "1\n", "\n1", "0x10", "1_000", "1,5", "--1", "1e", "e5", "1e+", "NaN"],
    *["Infinity", "-Infinity", "inf", "1e400", "1e100000", "1e99999999999", "1e-100000", "0e9999"],
    *["0e10000", "-0e-9999", "1e0005", "1e00005", "1e30", "9.9e30", "1e31", "-1e30", "-1e31"],
    *["1e-30", "0.9e-30", "0.1e-29", "1e-31", "10e-31", "100e29", "1000e28", "0.001e33"],
    *["9" * 38, "9" * 39, "9" * 31, "1" + "0" * 30, "1" + "0" * 31, "9" * 1000, "0" * 5],
    *["0." + "0" * 29 + "1", "0." + "0" * 30 + "1", "0." + "3" * 38, "0." + "3" * 39],
    *["1." + "0" * 37, "1." + "0" * 38, "-" + "1" * 20 + "." + "1" * 18, "0" + "." + "0" * 900],
    *["true", "false", "True", "null", "\u2028", "a\u0301", "á", "%", "a%b_c", "50%", '"', "\\"],
    *['"1"', "[1]", "{}", "\uffff", "\U00010000", "😀", "z", "Z", "_", "~", "a", "B", "ab"],
]
NUMBERS = [
    *map(Decimal, ["0", "1", "-1", "1.0", "1.50", "0.3", "0.30000000000000004", "100000"]),
    *map(Decimal, ["12.5", "9007199254740993", "1e30", "-1e30", "1e-30", "9.9e30", "4.1"]),
    *map(Decimal, ["9" * 31, "0." + "3" * 38, "3." + "3" * 37, "-" + "1" * 20 + "." + "1" * 18]),
]
START = datetime(2026, 3, 1, 12, tzinfo=UTC)

# PostgreSQL's text has no NUL, UTF-8 no lone surrogates: events with those are refused.
characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
strings = st.sampled_from(STRINGS) | st.text(characters, max_size=5)
decimals = st.decimals(
    min_value=-1000, max_value=1000, places=3, allow_nan=False, allow_infinity=False
)
numbers = st.sampled_from(NUMBERS) | decimals | st.integers(-3, 3).map(Decimal)
scalars = st.none() | st.booleans() | numbers | strings
keys = st.sampled_from(KEYS)
values: st.SearchStrategy[Any] = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=6,
)
# Half of all values are plain, so that clauses meet them.
metadata = st.dictionaries(keys, scalars | values, max_size=5)
steps = st.integers(-3, 3).map(lambda count: timedelta(microseconds=count))
instants = (steps | st.timedeltas(timedelta(days=-30), timedelta(days=30))).map(START.__add__)
names = st.sampled_from(NAMES).filter(bool)
event_ids = st.uuids(version=4)


def event(*, id_: UUID, name: str, timestamp: datetime, metadata: dict[str, Any]) -> dict[str, Any]:
    """An event as the reference takes it."""
    return {"id": id_, "name": name, "timestamp": timestamp, "metadata": metadata}


# What aggregations tell apart: few values, so that they repeat, under a key that all share.
counted_metadata = st.fixed_dictionaries(
    {"n": st.sampled_from([Decimal(1), Decimal("1.0"), "1", Decimal(2), "2.50", True, None, "x"])}
)
events = st.builds(
    event, id_=event_ids, name=names, timestamp=instants, metadata=metadata | counted_metadata
)
event_lists = st.lists(events, min_size=1, max_size=12, unique_by=lambda event: event["id"])

EQUALITIES = ["EQUALS", "NOT_EQUALS"]
CONTAINMENTS = ["CONTAINS", "NOT_CONTAINS"]
ORDERINGS = ["GREATER_THAN", "GREATER_THAN_OR_EQUALS", "LESS_THAN", "LESS_THAN_OR_EQUALS"]


@st.composite
def clauses(draw: st.DrawFn) -> dict[str, Any]:
    """A valid clause, of the API's input or the stored form."""
    name = draw(st.sampled_from(PROPERTIES))
    if name == "timestamp":
        operator = draw(st.sampled_from(EQUALITIES + ORDERINGS))
        instant = draw(instants)
        seconds = Decimal(
            int((instant - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
        )
        value = draw(st.sampled_from([instant.isoformat(), seconds.scaleb(-6)]))
        return {"property": name, "operator": operator, "value": value}
    operator = draw(st.sampled_from(EQUALITIES + CONTAINMENTS + ORDERINGS))
    if draw(st.booleans()):
        text = draw(strings)
        # What reads as a boolean cannot be ordered.
        if operator in ORDERINGS and text in {"true", "false"}:
            text = "1"
        return {"property": name, "operator": operator, "text": text}
    value = draw(numbers | strings if operator in ORDERINGS else numbers | strings | st.booleans())
    return {"property": name, "operator": operator, "value": value}


def _nodes(filter_: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    node = st.fixed_dictionaries({"clause": clauses()}) | st.fixed_dictionaries({"filter": filter_})
    return st.fixed_dictionaries(
        {"conjunction": st.sampled_from(["AND", "OR"]), "clauses": st.lists(node, max_size=3)}
    )


_flat = st.fixed_dictionaries(
    {
        "conjunction": st.sampled_from(["AND", "OR"]),
        "clauses": st.lists(st.fixed_dictionaries({"clause": clauses()}), max_size=3),
    }
)
filters = _flat | _nodes(_flat) | _nodes(_nodes(_flat))
