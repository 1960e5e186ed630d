"""Reading meters."""

from uuid import UUID

from metering.parameters import Parameters
from metering.progress import Progress, progress
from models import Meter
from resolvers.loaders.keyset import Keyset, uuid_key
from resolvers.loaders.sources import SQLSource, model_of

ORDER = Keyset((uuid_key(),))


def meters_source(organization_id: UUID, *, include_archived: bool) -> SQLSource[Meter]:
    """The organization's meters, oldest first."""

    def conditions(parameters: Parameters) -> list[str]:
        found = [f"m.organization_id = {parameters.add(organization_id, 'uuid')}"]
        return found if include_archived else [*found, "m.archived_at IS NULL"]

    return SQLSource(
        columns="m.*",
        table="meter",
        conditions=conditions,
        alias="m",
        keyset=ORDER,
        make=model_of(Meter),
    )


async def meters_by_id(organization_id: UUID, ids: list[UUID]) -> list[Meter | None]:
    """The meters with these ids, None for each that the organization does not have."""
    rows = await Meter.filter(organization_id=organization_id, id__in=set(ids))
    found = {row.id: row for row in rows}
    return [found.get(key) for key in ids]


async def progress_by_meter(organization_id: UUID, meters: list[Meter]) -> list[Progress]:
    """How far each meter has counted."""
    return await progress(organization_id, meters)
