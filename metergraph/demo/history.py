"""The demo's past 90 days: when each customer subscribed, and its events until now. Pure.

All of it follows from the date, the zone and a seed. Events have external ids that follow from
them too, so a history that was interrupted is completed by making it again.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import accumulate
from typing import Any
from zoneinfo import ZoneInfo

from billing.periods.intervals import Recurrence, RecurringInterval, boundary
from metergraph.demo.customers import CUSTOMERS, DemoCustomer, Plan
from metergraph.demo.events import demo_request
from metergraph.demo.organization import HISTORY, STORAGE_EVENT
from metering.ingest.events import EventDraft
from metering.usage.windows import Interval, Window, first_instant, windows
from models import exact_json

DAYS = 90

_MONTHLY = Recurrence(RecurringInterval.MONTH)

# Requests for a customer's activity, so that there are about 90,000 events.
_REQUESTS = 0.6
_TRIED_FOR = timedelta(days=7)
_SUBSCRIBED = time(9, 30)
_LATE_DAYS = 3
_MISTAKES = 4
_MEASURED = time(9)
_UNMEASURED_DAYS = 11  # each of so many
_GIGABYTES = 20  # for a customer's activity, at first
# Of a weekday's activity, Monday first.
_OFFICE_DAYS = (1.0, 1.06, 1.1, 1.04, 0.9, 0.32, 0.25)
_EVENING_DAYS = (0.8, 0.78, 0.82, 0.9, 1.15, 1.4, 1.3)
# The weight of each hour of a day.
_OFFICE_HOURS = (2, 1, 1, 1, 1, 2, 4, 8, 14, 18, 20, 19, 13, 16, 19, 18, 15, 11, 7, 5, 4, 4, 3, 2)
_EVENING_HOURS = (9, 5, 3, 1, 1, 1, 2, 3, 4, 5, 5, 6, 8, 7, 6, 7, 8, 11, 15, 19, 22, 23, 19, 13)


@dataclass(frozen=True)
class Life:
    """When things happened to a customer.

    `turns` are the ends of its periods by now; `canceled_at` ends its subscription and its events;
    from `changed_at` on, it has its latest habits.
    """

    began_at: datetime
    subscribed_at: datetime | None
    turns: tuple[datetime, ...]
    canceled_at: datetime | None
    changed_at: datetime | None


def life_of(customer: DemoCustomer, now: datetime, zone: ZoneInfo) -> Life:
    """When things happened to a customer, as seen from `now`."""
    earliest = _local(now, zone, DAYS, time())
    began_at = _local(now, zone, customer.days, _SUBSCRIBED)
    if customer.plan is None:
        return Life(began_at, None, (), None, None)
    subscribed_at = boundary(began_at, _MONTHLY, -customer.months)
    left = customer.canceled_days_ago
    canceled_at = None if left is None else _local(now, zone, left, _SUBSCRIBED)
    turns = []
    turn = boundary(subscribed_at, _MONTHLY, 1)
    while turn < (canceled_at or now):
        turns.append(turn)
        turn = boundary(subscribed_at, _MONTHLY, len(turns) + 1)
    return Life(
        began_at=max(earliest, subscribed_at - _TRIED_FOR),
        subscribed_at=subscribed_at,
        turns=tuple(turns),
        canceled_at=canceled_at,
        changed_at=turns[-2] if customer.lately is not None else None,
    )


def history(now: datetime, zone: ZoneInfo, seed: int) -> Iterator[list[EventDraft]]:
    """Yields the events of all customers, a list for each day of the zone up to `now`."""
    lives = [(customer, life_of(customer, now, zone)) for customer in CUSTOMERS]
    for day in _days(now, zone):
        hours = windows(day.start, day.end, Interval.HOUR, zone)
        events = [
            event
            for customer, life in lives
            if life.began_at < day.end
            for event in (
                *_day(customer, life, hours, zone, f"{seed}"),
                *_measured(customer, life, day, zone),
            )
            if event.timestamp is not None and life.began_at <= event.timestamp < now
        ]
        yield sorted(events, key=lambda event: (event.timestamp, event.external_id))


def late_events(
    customer: DemoCustomer, turn: datetime, now: datetime, zone: ZoneInfo, seed: int
) -> list[EventDraft]:
    """Returns a customer's events of the last whole days before `turn`, which it sends after it."""
    life = life_of(customer, now, zone)
    days = windows(
        _local(turn, zone, _LATE_DAYS, time()), _local(turn, zone, 0, time()), Interval.DAY, zone
    )
    return [
        event
        for day in days
        for event in _day(
            customer,
            life,
            windows(day.start, day.end, Interval.HOUR, zone),
            zone,
            f"{seed}",
            "late-",
        )
    ]


def mistaken_events(customer: DemoCustomer, now: datetime, seed: int) -> list[EventDraft]:
    """Returns events that a load test sends by mistake shortly before `now`, one each minute."""
    name = f"{HISTORY}load-test-{customer.external_id}"
    chance = random.Random(f"{seed}-{name}")  # noqa: S311  # a demonstration, not a secret
    return [
        event
        for number in range(_MISTAKES)
        for event in _requested(
            customer,
            f"{name}-{number}",
            now - (_MISTAKES - number) * timedelta(minutes=1),
            demo_request(chance, customer.habits),
        )
    ]


def _days(now: datetime, zone: ZoneInfo) -> list[Window]:
    """The days of the history in full; the last is today, which is not over."""
    tomorrow = _local(now, zone, -1, time())
    return windows(_local(now, zone, DAYS, time()), tomorrow, Interval.DAY, zone)


def _local(now: datetime, zone: ZoneInfo, days_ago: int, at: time) -> datetime:
    today = now.astimezone(zone).date()
    return first_instant(datetime.combine(today - timedelta(days=days_ago), at), zone)


def _day(
    customer: DemoCustomer,
    life: Life,
    hours: list[Window],
    zone: ZoneInfo,
    seed: str,
    kind: str = "",
) -> Iterator[EventDraft]:
    """Yields the events of a customer in the hours of a day."""
    day = hours[0].start.astimezone(zone).date()
    name = f"{HISTORY}{kind}{customer.external_id}-{day.isoformat()}"
    chance = random.Random(f"{seed}-{name}")  # noqa: S311  # a demonstration, not a secret
    by_hour = _EVENING_HOURS if customer.evenings else _OFFICE_HOURS
    weights = list(accumulate(by_hour[hour.start.astimezone(zone).hour] for hour in hours))
    count = _activity(customer, life, day, chance) * weights[-1] / sum(by_hour)
    for number in range(int(count + chance.random())):
        [hour] = chance.choices(hours, cum_weights=weights)
        at = hour.start + chance.random() * (hour.end - hour.start)
        changed = life.changed_at is not None and at >= life.changed_at
        request = demo_request(chance, customer.habits_now if changed else customer.habits)
        if life.canceled_at is not None and at >= life.canceled_at:
            continue
        yield from _requested(customer, f"{name}-{number}", at, request)


def _requested(
    customer: DemoCustomer, name: str, at: datetime, request: list[tuple[str, dict[str, Any]]]
) -> Iterator[EventDraft]:
    """Yields the events of a request. Their external ids begin with `name`."""
    for part, (event, metadata) in enumerate(request):
        yield EventDraft(
            name=event,
            customer_id=None,
            external_customer_id=customer.external_id,
            external_id=f"{name}-{part}",
            timestamp=at,
            metadata=exact_json.dumps(metadata),
        )


def _measured(
    customer: DemoCustomer, life: Life, day: Window, zone: ZoneInfo
) -> Iterator[EventDraft]:
    """Yields what a customer of the larger plan stores: measured each morning, more every day.

    Some days it cannot be measured: what was stored before lasts.
    """
    if customer.plan is not Plan.SCALE:
        return
    today = day.start.astimezone(zone).date()
    age = (day.end - life.began_at) // timedelta(days=1)
    if today.toordinal() % _UNMEASURED_DAYS == 0:
        return
    yield EventDraft(
        name=STORAGE_EVENT,
        customer_id=None,
        external_customer_id=customer.external_id,
        external_id=f"{HISTORY}storage-{customer.external_id}-{today.isoformat()}",
        timestamp=first_instant(datetime.combine(today, _MEASURED), zone),
        metadata=exact_json.dumps({"gigabytes": customer.activity * (_GIGABYTES + age)}),
    )


def _activity(customer: DemoCustomer, life: Life, day: date, chance: random.Random) -> float:
    """How many requests to expect on a day: more by weekday, by growth and by chance."""
    by_day = _EVENING_DAYS if customer.evenings else _OFFICE_DAYS
    age = (datetime.combine(day, time(), UTC) - life.began_at) / timedelta(days=DAYS)
    grown = float(customer.growth**age)
    usual = _REQUESTS * customer.activity * by_day[day.weekday()] * grown
    return usual * chance.lognormvariate(0, 0.12)
