"""Events a second as batches of CloudEvents, beside the mutation with all receipts."""

from dataclasses import replace

from benchmarks.events import COUNTS, RECEIPTS
from benchmarks.ingestion import Case, ingest
from benchmarks.results import Result, median
from benchmarks.run import Run
from benchmarks.system import System, running_system

NAME = "cloudevents"
_ROUNDS = 5
_AIM = 0.9


async def measure(run: Run) -> list[Result]:
    """Sends the same events in each way, in rounds."""
    async with running_system(run.folder) as system:
        # What is only slow the first time is not what is measured.
        await ingest(system, Case(100, 2, 2_000))
        await ingest(system, Case(100, 2, 2_000, as_cloud_events=True))
        return [
            await _measure(system, run, Case(1_000, 1, 20_000)),
            await _measure(system, run, Case(1_000, 8, 40_000)),
        ]


async def _measure(system: System, run: Run, case: Case) -> Result:
    ways = {
        "cloudevents": replace(case, as_cloud_events=True),
        "receipts": replace(case, query=RECEIPTS),
        "counts": replace(case, query=COUNTS),
    }
    stored: dict[str, list[float]] = {name: [] for name in ways}
    for turn in range(1 if run.quick else _ROUNDS):
        names = list(ways)
        for name in names[turn % len(names) :] + names[: turn % len(names)]:
            stored[name].append((await ingest(system, ways[name]))[0])
    rates = {name: median(found) for name, found in stored.items()}
    ratio = rates["cloudevents"] / rates["receipts"]
    return Result(
        NAME,
        case.title,
        f"{rates['cloudevents']:,.0f} events/s stored",
        f"{rates['receipts']:,.0f} by the mutation; {rates['counts']:,.0f} without receipts",
        f"{ratio:.2f}",
        f"≥ {_AIM} of the mutation",
        ratio >= _AIM,
    )
