"""`metergraph` in processes that start at once: forked from one that has imported its commands.

Importing takes most of what a command takes, and tests run a hundred of them. A forked one is a
process like any other, with an environment, a directory and output of its own.
"""

import multiprocessing
import os
import pkgutil
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from config.settings import Settings, variable_name
from metergraph import commands
from metergraph.__main__ import main

_SECONDS = 180.0
_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload(
    [
        "metergraph.cli",
        *(
            f"{commands.__name__}.{module.name}"
            for module in pkgutil.iter_modules(commands.__path__)
        ),
    ]
)


def environment_of(settings: Settings, **more: str) -> dict[str, str]:
    """The variables with which a process finds the test's servers."""
    return {
        variable_name("database_url"): str(settings.database_url),
        variable_name("redis_url"): str(settings.redis_url),
        **more,
    }


@dataclass(frozen=True)
class Result:
    """How a command ended, and what it printed."""

    code: int
    out: str
    err: str


def run_command(*arguments: str, environment: Mapping[str, str], directory: Path) -> Result:
    """Runs `metergraph` with arguments to its end, without standard input.

    Args:
        arguments: what stands behind `metergraph`.
        environment: variables beside, or instead of, those of this process.
        directory: where it runs.

    Raises:
        AssertionError: it did not end in time.
    """
    with tempfile.TemporaryDirectory() as printed:
        out, err = Path(printed, "out"), Path(printed, "err")
        process = _forking.Process(
            target=_run, args=(arguments, {**os.environ, **environment}, directory, out, err)
        )
        process.start()
        try:
            process.join(_SECONDS)
            assert process.exitcode is not None, f"{arguments} did not end"
            return Result(process.exitcode, out.read_text(), err.read_text())
        finally:
            process.kill()
            process.join()
            process.close()


def _run(
    arguments: tuple[str, ...], environment: dict[str, str], directory: Path, out: Path, err: Path
) -> None:
    for path, descriptor in ((out, 1), (err, 2)):
        with path.open("wb") as file:
            os.dup2(file.fileno(), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(directory)
    sys.argv[1:] = arguments
    main()
