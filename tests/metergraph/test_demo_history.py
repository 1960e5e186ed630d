"""The demo's past 90 days: the same for a date and a seed, with a weekly and a daily rhythm."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from billing.periods.intervals import Recurrence, RecurringInterval, boundary
from metergraph.demo.customers import CUSTOMERS
from metergraph.demo.history import DAYS, history, late_events, life_of
from metering.ingest.events import EventDraft, check_event
from metering.usage.windows import zone_of
from models import exact_json

NOW = datetime(2026, 11, 21, 15, 20, tzinfo=UTC)
PARIS = zone_of("Europe/Paris")
BY_ID = {customer.external_id: customer for customer in CUSTOMERS}


def events_until(now: datetime, zone: ZoneInfo = PARIS, seed: int = 7) -> list[EventDraft]:
    return [event for day in history(now, zone, seed) for event in day]


@pytest.fixture(scope="module")
def events() -> list[EventDraft]:
    return events_until(NOW)


def instant(event: EventDraft) -> datetime:
    assert event.timestamp is not None
    return event.timestamp


def test_the_date_and_the_seed_decide_all_events(events: list[EventDraft]) -> None:
    assert events_until(NOW) == events
    assert events_until(NOW, seed=8) != events
    # What was made five hours ago is made again as it was.
    earlier = NOW - timedelta(hours=5)
    assert events_until(earlier) == [event for event in events if instant(event) < earlier]


def test_all_events_are_valid_and_in_order(events: list[EventDraft]) -> None:
    assert 60_000 < len(events) < 120_000
    assert len({event.external_id for event in events}) == len(events)
    assert [instant(event) for event in events] == sorted(map(instant, events))
    assert {event.external_customer_id for event in events} == BY_ID.keys()
    for event in events[::50]:
        sent = {
            "name": event.name,
            "externalCustomerId": event.external_customer_id,
            "externalId": event.external_id,
            "timestamp": event.timestamp,
            "metadata": exact_json.loads(event.metadata),
        }
        assert check_event(sent, NOW, lambda _id: None) == event


def test_work_is_done_on_weekdays_and_by_day(events: list[EventDraft]) -> None:
    office = [event for event in events if event.external_customer_id == "globex"]
    weekdays = Counter(instant(event).astimezone(PARIS).weekday() for event in office)
    assert min(weekdays[day] for day in range(5)) > 2 * max(weekdays[5], weekdays[6])
    hours = Counter(instant(event).astimezone(PARIS).hour for event in office)
    assert hours[10] > 5 * hours[3]
    at_home = Counter(
        instant(event).astimezone(PARIS).hour
        for event in events
        if event.external_customer_id == "hooli"
    )
    assert at_home[20] > 2 * at_home[10]


@pytest.mark.parametrize(
    ("now", "day", "repeated", "skipped"),
    [
        (NOW, date(2026, 10, 25), 2, None),
        (datetime(2026, 5, 20, 12, tzinfo=UTC), date(2026, 3, 29), None, 2),
    ],
    ids=["25 hours", "23 hours"],
)
def test_a_day_on_which_clocks_change_is_a_day(
    now: datetime, day: date, repeated: int | None, skipped: int | None
) -> None:
    days = list(history(now, PARIS, 7))
    assert len(days) == DAYS + 1
    today = now.astimezone(PARIS).date()
    for number, events in enumerate(days):
        assert {instant(event).astimezone(PARIS).date() for event in events} == {
            today - timedelta(days=DAYS - number)
        }
    [events] = [events for events in days if instant(events[0]).astimezone(PARIS).date() == day]
    local = [instant(event).astimezone(PARIS) for event in events]
    hours = Counter((at.hour, at.fold) for at in local)
    if repeated is not None:
        assert hours[repeated, 0] > 0
        assert hours[repeated, 1] > 0
    assert all(hour != skipped for hour, _fold in hours)


def test_globex_has_used_a_larger_model_since_its_last_invoiced_period_began(
    events: list[EventDraft],
) -> None:
    life = life_of(BY_ID["globex"], NOW, PARIS)
    assert life.subscribed_at is not None
    monthly = Recurrence(RecurringInterval.MONTH)
    assert life.changed_at == boundary(life.subscribed_at, monthly, 1)
    tokens: dict[bool, int] = {True: 0, False: 0}
    for event in events:
        if event.external_customer_id == "globex" and event.name == "ai_usage":
            metadata = exact_json.loads(event.metadata)
            lately = instant(event) >= life.changed_at
            assert lately or metadata["model"] != "claude-opus-4.1"
            tokens[lately] += metadata["tokens"]
    assert tokens[True] > 5 * tokens[False]


def test_a_canceled_customer_stops(events: list[EventDraft]) -> None:
    life = life_of(BY_ID["gekko"], NOW, PARIS)
    assert life.canceled_at is not None
    of_gekko = [instant(event) for event in events if event.external_customer_id == "gekko"]
    assert max(of_gekko) < life.canceled_at < NOW


def test_late_events_lie_before_the_turn_and_are_other_events(events: list[EventDraft]) -> None:
    life = life_of(BY_ID["acme"], NOW, PARIS)
    late = late_events(BY_ID["acme"], life.turns[0], NOW, PARIS, 7)
    assert late
    assert all(instant(event) < life.turns[0] for event in late)
    assert not {event.external_id for event in late} & {event.external_id for event in events}


@pytest.mark.parametrize("now", [datetime(2026, 3, 31, 0, 5, tzinfo=UTC), NOW])
def test_everybody_has_subscribed_within_the_90_days(now: datetime) -> None:
    for customer in CUSTOMERS:
        life = life_of(customer, now, PARIS)
        assert now - timedelta(days=DAYS + 1) < life.began_at < now
        if life.subscribed_at is not None:
            assert life.began_at <= life.subscribed_at < now
        assert list(life.turns) == sorted(set(life.turns))
        assert all(turn <= now for turn in life.turns)
