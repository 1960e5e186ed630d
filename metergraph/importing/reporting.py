"""Showing how an import goes: a bar on a terminal, else a line now and then. On standard error."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

_SECONDS_BETWEEN_LINES = 5.0


class Reporter(Protocol):
    """What is told how an import goes."""

    def advance(self, rows: int, offset: int) -> None:
        """So many rows are done; the last of them ends at `offset` of the file."""

    def bad_row(self, line: int, problem: str) -> None:
        """The row on this line of the file was refused; `problem` says why."""

    def note(self, message: str) -> None:
        """Something else that a person should know, as a sentence."""


class PlainReporter:
    """A line every few seconds.

    Args:
        size: of the file, in bytes.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._started = self._said = time.monotonic()

    def advance(self, rows: int, offset: int) -> None:
        """Says how far it is, unless it has just done so."""
        now = time.monotonic()
        if now - self._said >= _SECONDS_BETWEEN_LINES:
            self._said = now
            share = offset / self._size if self._size else 1.0
            speed = rows / (now - self._started)
            self.note(f"{share:.0%}: {rows:,} rows, {speed:,.0f} a second")

    def bad_row(self, line: int, problem: str) -> None:
        """Says it."""
        self.note(f"line {line}: {problem}")

    def note(self, message: str) -> None:
        """Says it."""
        click.echo(message, err=True)


class BarReporter:
    """A progress bar; everything else scrolls above it."""

    def __init__(self, progress: Progress, size: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=size or None, rows=0)

    def advance(self, rows: int, offset: int) -> None:
        """Moves the bar, which never goes back: batches end in any order."""
        completed = max(offset, self._progress.tasks[self._task].completed)
        self._progress.update(self._task, completed=completed, rows=rows)

    def bad_row(self, line: int, problem: str) -> None:
        """Says it above the bar."""
        self._progress.console.print(f"[red]line {line}[/red]: {escape(problem)}", soft_wrap=True)

    def note(self, message: str) -> None:
        """Says it above the bar."""
        self._progress.console.print(escape(message), soft_wrap=True)


@contextmanager
def reporter(size: int) -> Iterator[Reporter]:
    """What suits standard error, for a file of `size` bytes."""
    if not sys.stderr.isatty():
        yield PlainReporter(size)
        return
    with Progress(
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rows]:,} rows"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
    ) as progress:
        yield BarReporter(progress, size)
