"""`python -m benchmarks`: runs the benchmarks and prints one table."""

import importlib
import pkgutil
from pathlib import Path

import click
import uvloop

import benchmarks
from benchmarks.results import Result, print_table
from benchmarks.run import Run


def _modules() -> dict[str, str]:
    """The modules that measure something, by what they are called."""
    names = sorted(module.name for module in pkgutil.iter_modules(benchmarks.__path__))
    found = {}
    for name in names:
        if name.startswith("__"):
            continue
        module = importlib.import_module(f"benchmarks.{name}")
        if hasattr(module, "measure"):
            found[module.NAME] = module.__name__
    return found


@click.command()
@click.option(
    "--only",
    multiple=True,
    type=click.Choice(list(_modules())),
    help="One benchmark; may be given several times.  [default: all]",
)
@click.option("--quick", is_flag=True, help="Measure less: minutes become seconds.")
@click.option(
    "--folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="On the disk that is to be measured.  [default: where temporary files are]",
)
def main(only: tuple[str, ...], quick: bool, folder: Path | None) -> None:
    """Measure a real system: PostgreSQL with fsync, Redis, an API and a worker process."""
    run = Run(quick, folder)
    results: list[Result] = []
    try:
        for name, module in _modules().items():
            if not only or name in only:
                click.echo(f"{name} …", err=True)
                results += uvloop.run(importlib.import_module(module).measure(run))
    finally:
        if results:
            print_table(results)


if __name__ == "__main__":
    main()
