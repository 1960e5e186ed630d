"""Bad rows are told without drowning what else there is to say."""

import io

from metergraph.importing.reporting import Refusals


class Told:
    """A reporter that remembers what a person would have read."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def advance(self, rows: int, offset: int) -> None:
        pass

    def bad_row(self, line: int, problem: str) -> None:
        self.lines.append(f"line {line}: {problem}")

    def note(self, message: str) -> None:
        self.lines.append(message)


def test_few_rows_are_told_one_by_one() -> None:
    told = Told()
    refusals = Refusals(told)
    for line in range(2, 7):
        refusals.add(line, "the event has no name")
    refusals.end()
    assert told.lines == [f"line {line}: the event has no name" for line in range(2, 7)]


def test_of_rows_with_the_same_problem_the_first_are_told_whatever_their_values() -> None:
    told = Told()
    refusals = Refusals(told)
    for line in range(1, 1_007):
        refusals.add(line, f"n: 'it\\'s {line}' is not a number")
    refusals.add(1_007, "the event has no name")
    refusals.end()
    assert len(told.lines) == 7
    assert told.lines[-2:] == [
        "line 1007: the event has no name",
        "1,001 more rows: as line 1 (--refused FILE lists them all)",
    ]


def test_ever_new_problems_are_bounded_and_a_file_has_all() -> None:
    told = Told()
    file = io.StringIO()
    refusals = Refusals(told, file)
    for line in range(1, 101):
        refusals.add(line, "x" * line)
    refusals.end()
    assert len(told.lines) == 21
    assert told.lines[-1] == "80 more rows: other problems"
    assert len(file.getvalue().splitlines()) == 100
