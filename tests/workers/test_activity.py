"""A worker logs what it has counted now and then, in one line."""

from uuid import uuid4

import pytest
from structlog.testing import capture_logs

from workers.measurements import Activity


def test_many_steps_are_logged_in_one_line() -> None:
    activity = Activity()
    one, another = uuid4(), uuid4()
    with capture_logs() as lines:
        activity.say()
        activity.counted(one, batches=2, events=1_000, seconds=0.25)
        activity.counted(one, batches=1, events=10, seconds=0.05)
        activity.counted(another, batches=1, events=1, seconds=0.01)
        activity.say()
        activity.say()
    (line,) = lines
    assert line == {
        "event": "counted",
        "log_level": "info",
        "events": 1_011,
        "batches": 4,
        "organizations": 2,
        "largest_organization": str(one),
        "largest_events": 1_010,
        "steps": 3,
        "seconds": pytest.approx(0.31),
        "slowest_step_seconds": 0.25,
    }


def test_each_line_covers_the_time_since_the_last() -> None:
    activity = Activity()
    with capture_logs() as lines:
        activity.counted(uuid4(), batches=1, events=5, seconds=0.1)
        activity.say()
        activity.counted(uuid4(), batches=1, events=7, seconds=0.2)
        activity.say()
    assert [(line["events"], line["organizations"]) for line in lines] == [(5, 1), (7, 1)]
