"""Shows on standard error how an import goes: its progress, and its bad rows.

For each kind of problem, the first rows are shown at once, and the end says how many more there
were: one mistake in an option must not scroll everything else away.
"""

import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO

import click
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from metergraph.sentences import number_of

_SECONDS_BETWEEN_LINES = 5.0
SHOWN_OF_A_KIND = 5
_KINDS = 20
_OTHER = ""
# Quoted values and numbers differ between rows with the same problem.
_VALUE = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[0-9]+")


class Reporter(Protocol):
    """Shows how an import goes."""

    def advance(self, rows: int, offset: int) -> None:
        """Notes that `rows` rows are done; the last one ends at `offset` of the file."""

    def bad_row(self, line: int, problem: str) -> None:
        """Shows that the row on this line is bad; `problem` says why."""

    def note(self, message: str) -> None:
        """Shows another sentence."""


class PlainReporter:
    """Writes a line every few seconds.

    Args:
        size: of the file, in bytes.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._started = self._said = time.monotonic()

    def advance(self, rows: int, offset: int) -> None:
        """Writes the progress, unless it has just done so."""
        now = time.monotonic()
        if now - self._said >= _SECONDS_BETWEEN_LINES:
            self._said = now
            share = offset / self._size if self._size else 1.0
            speed = rows / (now - self._started)
            self.note(f"{share:.0%}: {rows:,} rows, {speed:,.0f} a second")

    def bad_row(self, line: int, problem: str) -> None:
        """Writes it."""
        self.note(f"line {line}: {problem}")

    def note(self, message: str) -> None:
        """Writes it."""
        click.echo(message, err=True)


class BarReporter:
    """Shows a progress bar; everything else scrolls above it."""

    def __init__(self, progress: Progress, size: int) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=size or None, rows=0)

    def advance(self, rows: int, offset: int) -> None:
        """Moves the bar forward; batches end in any order."""
        completed = max(offset, self._progress.tasks[self._task].completed)
        self._progress.update(self._task, completed=completed, rows=rows)

    def bad_row(self, line: int, problem: str) -> None:
        """Writes it above the bar."""
        self._progress.console.print(f"[red]line {line}[/red]: {escape(problem)}", soft_wrap=True)

    def note(self, message: str) -> None:
        """Writes it above the bar."""
        self._progress.console.print(escape(message), soft_wrap=True)


@contextmanager
def reporter(size: int) -> Iterator[Reporter]:
    """Returns a bar if standard error is a terminal, else lines; `size` is that of the file."""
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


class Refusals:
    """The bad rows of one import.

    Args:
        reporter: shows some of them.
        file: receives a line for each of them; None: none does.
    """

    def __init__(self, reporter: Reporter, file: TextIO | None = None) -> None:
        self._reporter = reporter
        self._file = file
        self._first_line: dict[str, int] = {}
        self._rows: Counter[str] = Counter()

    def add(self, line: int, problem: str) -> None:
        """Records that the row on this line was refused; `problem` says why."""
        if self._file is not None:
            self._file.write(f"line {line}: {problem}\n")
        kind = _VALUE.sub("…", problem)
        if kind not in self._rows and len(self._rows) >= _KINDS:
            kind = _OTHER
        self._rows[kind] += 1
        self._first_line.setdefault(kind, line)
        if kind != _OTHER and self._rows[kind] <= SHOWN_OF_A_KIND:
            self._reporter.bad_row(line, problem)

    def end(self) -> None:
        """Says how many were not shown."""
        hint = "" if self._file is not None else " (--refused FILE lists them all)"
        for kind, count in self._rows.items():
            hidden = count if kind == _OTHER else count - SHOWN_OF_A_KIND
            if hidden > 0:
                rows = number_of(hidden, "more row")
                why = "other problems" if kind == _OTHER else f"as line {self._first_line[kind]}"
                self._reporter.note(f"{rows}: {why}{hint}")
                hint = ""
