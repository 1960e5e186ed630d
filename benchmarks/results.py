"""What was measured, and the table at the end."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table

_WIDTH = 200


@dataclass(frozen=True)
class Result:
    """One line of the table.

    Args:
        benchmark: which benchmark.
        case: of what.
        measured: the figure, with its unit.
        beside: what it is held against, with its unit; empty: nothing.
        ratio: of the two, or empty.
        aim: what it should be; empty: no aim.
        met: whether it is so.
    """

    benchmark: str
    case: str
    measured: str
    beside: str = ""
    ratio: str = ""
    aim: str = ""
    met: bool | None = None


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * share // 1).__int__() - 1)]


def median(values: Sequence[float]) -> float:
    """The 50th percentile."""
    return percentile(values, 0.5)


def print_table(results: Sequence[Result]) -> None:
    """Prints the results for a person."""
    table = Table(title="Metergraph, measured", title_justify="left")
    for column in ("benchmark", "case", "measured", "beside", "ratio", "aim", "met"):
        table.add_column(column, justify="left" if column in {"benchmark", "case"} else "right")
    last = ""
    for result in results:
        if result.benchmark != last:
            table.add_section()
        met = "" if result.met is None else ("yes" if result.met else "NO")
        name = result.benchmark if result.benchmark != last else ""
        last = result.benchmark
        table.add_row(
            name, result.case, result.measured, result.beside, result.ratio, result.aim, met
        )
    # In a file a line stays a line.
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(table)
