"""`metergraph export events` once months are archived."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from metering.export.events import EventsMissingError, read_log
from metering.usage.windows import Window
from models import Organization
from tests.ingesting import drain, send
from tests.metergraph.running import RunMetergraph
from tests.metering.archives import FEBRUARY, JANUARY, archive


def of_lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


async def test_what_is_stored_can_be_exported_once_months_are_archived(
    fresh_database: BaseDBAsyncClient,
    run_metergraph: RunMetergraph,
    organization: Organization,
    tmp_path: Path,
) -> None:
    """Also of a batch with archived events; the next exports follow in a folder."""
    for names in (("old", "mixed"), ("new",), ("whole",)):
        times = {"old": JANUARY, "mixed": FEBRUARY, "new": FEBRUARY, "whole": FEBRUARY}
        await send(
            organization.id, *({"externalId": name, "timestamp": times[name]} for name in names)
        )
        await drain(organization.id)
    await archive(tmp_path / "archive")
    export = ("export", "events", "--organization", organization.slug)
    stored, folder = tmp_path / "stored.ndjson", tmp_path / "warehouse"
    code, printed = await run_metergraph(*export, "--output", str(stored))
    assert (code, stored.exists()) == (1, False)
    assert "with --start and --end" in printed
    since = ("--start", "2026-02-01T00:00:00Z", "--end", "2100-01-01T00:00:00Z")
    code, printed = await run_metergraph(*export, "--output", str(stored), *since)
    assert code == 0, printed
    assert [row["external_id"] for row in of_lines(stored)] == ["mixed", "new", "whole"]

    await send(organization.id, {"externalId": "next", "timestamp": FEBRUARY})
    await drain(organization.id)
    into = (*export, "--directory", str(folder))
    after = ("--after", printed.split("--after ")[1].split()[0])
    code, printed = await run_metergraph(*into, *after)
    assert code == 0, printed
    [path] = folder.iterdir()
    assert [row["external_id"] for row in of_lines(path)] == ["next"]
    code, printed = await run_metergraph(*into, *after)
    assert (code, "leave out --after" in printed) == (2, True)
    code, printed = await run_metergraph(*into)
    assert (code, "There are no new events." in printed) == (0, True)

    await fresh_database.execute_query(
        "DELETE FROM event WHERE organization_id = $1 AND external_id = 'next'", [organization.id]
    )
    # In a piece of its own, which has nothing that is archived.
    with pytest.raises(EventsMissingError):
        [
            rows
            async for rows in read_log(
                organization.id, 3, 4, Window(FEBRUARY, FEBRUARY + timedelta(days=1))
            )
        ]
