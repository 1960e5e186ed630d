"""Reading meters."""

from uuid import UUID

from metering.counting.progress import Progress, progress
from models import Meter
from schema.loaders.sources import SQLSource
from schema.loaders.tables import rows_source


def meters_source(organization_id: UUID, *, include_archived: bool) -> SQLSource[Meter]:
    """The organization's meters, oldest first."""
    conditions = "true" if include_archived else "{row}.archived_at IS NULL"
    return rows_source(Meter, organization_id, conditions)


async def progress_by_meter(organization_id: UUID, meters: list[Meter]) -> list[Progress]:
    """How far each meter has counted."""
    return await progress(organization_id, meters)
