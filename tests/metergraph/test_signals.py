"""Signals that ask `metergraph dev` to stop."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from metergraph.commands.dev import Signals, StopError
from metergraph.supervisor import Command, Supervisor


@pytest.fixture
def signals() -> Iterator[Signals]:
    before = {number: signal.getsignal(number) for number in Signals.numbers}
    found = Signals()
    found.listen()
    yield found
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", Signals.numbers)
def test_a_signal_whose_exception_is_lost_stops_the_watch(
    signals: Signals, number: signal.Signals
) -> None:
    """A hook that runs around a fork loses it: Python ignores what such hooks raise."""
    signals.check()
    with suppress(StopError):
        os.kill(os.getpid(), number)
        signals.check()
    with pytest.raises(StopError):
        Supervisor().watch(signals.check)


def test_signals_are_ignored_while_we_stop(signals: Signals) -> None:
    signals.ignore()
    os.kill(os.getpid(), signal.SIGTERM)
    signals.check()


@pytest.mark.parametrize("number", Signals.numbers)
def test_a_signal_that_comes_while_a_child_is_started_does_not_lose_the_child(
    signals: Signals, number: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The child would go on, and nothing would stop it."""
    children = []
    really = subprocess.Popen

    def interrupted(*arguments: Any, **options: Any) -> "subprocess.Popen[bytes]":
        child = really(*arguments, **options)
        children.append(child)
        os.kill(os.getpid(), number)
        return child

    supervisor = Supervisor()
    monkeypatch.setattr(subprocess, "Popen", interrupted)
    with pytest.raises(StopError):
        supervisor.add_task(Command("demo", ["--help"], os.environ, stop_seconds=60.0))
    supervisor.stop()
    assert [child.returncode is None for child in children] == [False]
