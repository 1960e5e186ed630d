"""The organization that `metergraph dev` makes, with a token and the demo's four meters."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from tortoise.connection import get_connection

from config.settings import Settings
from metergraph.database.opening import migrate, opened_database
from metergraph.demo.customers import CUSTOMERS
from metergraph.embedded.private_files import open_private_text
from metering.language.aggregations import Aggregation, AggregationFunction
from metering.language.filters import Clause, ClauseOperator, Filter
from metering.meters import create_meter
from models import AccessToken, Meter, Organization
from schema.secrets import hash_secret, new_secret

SLUG = "demo"
_NAME = "Demo"
_DISPLAY_NAME = "Demo Cloud"
_SCOPES = ["ADMIN"]
AI_USAGE = "AI usage"
VIDEO_STREAMING = "Video streaming"
STORAGE = "Storage"
STORAGE_EVENT = "storage_measured"
_SUM, _TIME_WEIGHTED = AggregationFunction.SUM, AggregationFunction.TIME_WEIGHTED
# Name, unit, event name, aggregation, dimensions.
_METERS = (
    (AI_USAGE, "token", "ai_usage", Aggregation(_SUM, "tokens"), ("model", "kind")),
    (
        *(VIDEO_STREAMING, "second", "video_streamed"),
        Aggregation(_SUM, "duration"),
        ("resolution",),
    ),
    ("File upload", "byte", "file_uploaded", Aggregation(_SUM, "size"), ("content_type",)),
    # What is stored lasts until it is measured again.
    (STORAGE, "gigabyte-hour", STORAGE_EVENT, Aggregation(_TIME_WEIGHTED, "gigabytes"), ()),
)
HISTORY = "demo-history-"
"""What the external ids of all events of its history begin with."""
METER_NAMES = [name for name, *_ in _METERS]


def demo_token(home: Path) -> str | None:
    """Reads the secret of the demo's token from the data directory `home`."""
    try:
        return _token_path(home).read_text().strip() or None
    except OSError:
        return None


@dataclass(frozen=True, slots=True)
class Demo:
    """The demo organization: its token's secret, and whether its history can still be made."""

    token: str
    is_untouched: bool


async def prepare_demo(settings: Settings, home: Path) -> Demo:
    """Migrates the database and makes missing parts of the demo organization."""
    async with opened_database(settings, role="dev"):
        await migrate(settings)
        token = await ensure_demo_organization(home)
        organization = await Organization.get(slug=SLUG)
        return Demo(token, await is_untouched(organization.id))


async def ensure_demo_organization(home: Path) -> str:
    """Makes missing parts of the demo organization and returns its token's secret.

    The database must be open and migrated. `home` keeps the secret, readable only by its owner, so
    that every start prints the same one. A lost or revoked one is replaced.
    """
    organization, _ = await Organization.get_or_create(
        slug=SLUG, defaults={"name": _NAME, "display_name": _DISPLAY_NAME}
    )
    existing = {meter.name for meter in await Meter.filter(organization_id=organization.id)}
    for name, unit, event_name, aggregation, dimensions in _METERS:
        if name not in existing:
            await create_meter(
                organization.id,
                name,
                unit,
                Filter(clauses=(Clause("name", ClauseOperator.EQUALS, event_name),)),
                aggregation,
                dimensions,
            )
    return await _ensure_token(organization, home)


async def is_untouched(organization_id: UUID) -> bool:
    """Whether there is nothing in the organization, or only a history that was interrupted."""
    rows = await get_connection("default").execute_query_dict(
        """
        SELECT NOT (
            EXISTS (SELECT FROM product WHERE organization_id = $1)
            OR EXISTS (
                SELECT FROM customer WHERE organization_id = $1
                AND (external_id IS NULL OR external_id <> ALL($2::text[]))
            )
            OR EXISTS (
                SELECT FROM event WHERE organization_id = $1
                AND (external_id IS NULL OR NOT starts_with(external_id, $3))
            )
        ) AS untouched
        """,
        [organization_id, [customer.external_id for customer in CUSTOMERS], HISTORY],
    )
    untouched: bool = rows[0]["untouched"]
    return untouched


async def _ensure_token(organization: Organization, home: Path) -> str:
    secret = demo_token(home)
    if secret is not None and await AccessToken.exists(
        organization_id=organization.id, secret_hash=hash_secret(secret), revoked_at=None
    ):
        return secret
    secret = new_secret()
    _write_secret(_token_path(home), secret)
    await AccessToken.create(
        organization=organization, name="demo", scopes=_SCOPES, secret_hash=hash_secret(secret)
    )
    return secret


def _token_path(home: Path) -> Path:
    return home / "demo-token"


def _write_secret(path: Path, secret: str) -> None:
    with open_private_text(path, "w") as file:
        file.write(secret + "\n")
