"""Bad rows, told so that one mistake in an option does not scroll everything else away.

The first rows of each kind of problem are told as they come; of the others the end says how many
there were. All of them go to a file, where one is asked for.
"""

import re
from collections import Counter
from typing import TextIO

from metergraph.importing.reporting import Reporter
from metergraph.wording import number_of

TOLD_OF_A_KIND = 5
_KINDS = 20
_OTHER = ""
# What differs between rows with the same problem: the value that is quoted, and numbers.
_VALUE = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|[0-9]+")


class Refusals:
    """The bad rows of one import.

    Args:
        reporter: shown some of them.
        file: where every one is written, a line each; None: nowhere.
    """

    def __init__(self, reporter: Reporter, file: TextIO | None = None) -> None:
        self._reporter = reporter
        self._file = file
        self._first_line: dict[str, int] = {}
        self._rows: Counter[str] = Counter()

    def add(self, line: int, problem: str) -> None:
        """The row on this line was refused; `problem` says why."""
        if self._file is not None:
            self._file.write(f"line {line}: {problem}\n")
        kind = _VALUE.sub("…", problem)
        if kind not in self._rows and len(self._rows) >= _KINDS:
            kind = _OTHER
        self._rows[kind] += 1
        self._first_line.setdefault(kind, line)
        if kind != _OTHER and self._rows[kind] <= TOLD_OF_A_KIND:
            self._reporter.bad_row(line, problem)

    def end(self) -> None:
        """Says how many were not told."""
        hint = "" if self._file is not None else " (--refused FILE lists them all)"
        for kind, count in self._rows.items():
            untold = count if kind == _OTHER else count - TOLD_OF_A_KIND
            if untold > 0:
                rows = number_of(untold, "more row")
                why = "other problems" if kind == _OTHER else f"as line {self._first_line[kind]}"
                self._reporter.note(f"{rows}: {why}{hint}")
                hint = ""
