"""A short form of `make chaos`."""

import pytest

from tests.chaos import run

pytestmark = [pytest.mark.servers, pytest.mark.slow]


def test_a_few_seconds_of_chaos_leave_every_number_exact() -> None:
    report = run(seconds=8, seed=7, redis_seconds=2)
    assert "killed" in report
