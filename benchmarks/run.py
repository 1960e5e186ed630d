"""How a run of the benchmarks was asked for."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Run:
    """`quick` measures less and less exactly; `folder` is on the disk that is measured."""

    quick: bool
    folder: Path | None
