"""docs/operations.md and its alerts name only metrics, settings and commands that exist."""

import re
from pathlib import Path

import asyncpg
import pytest
from click import Context
from graphql import build_schema, parse, validate
from tortoise.backends.base.client import BaseDBAsyncClient

from config.settings import Settings, variable_name
from metergraph.cli import cli
from tests.graphql_client import Api
from tests.metergraph.exposed import Exposed
from tests.postgres import connection_to

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs" / "operations.md").read_text()
ALERTS = (ROOT / "docs" / "alerts.yaml").read_text()


def named_metrics(text: str) -> set[str]:
    return set(re.findall(r"\bmetergraph_[a-z_]+[a-z]", text))


@pytest.mark.parametrize(
    "document", re.findall(r"^```graphql\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
)
def test_its_operations_are_of_the_schema(document: str) -> None:
    schema = build_schema((ROOT / "schema.graphql").read_text())
    assert validate(schema, parse(document)) == []


async def test_its_metrics_are_those_that_are_served(exposed: Exposed) -> None:
    # A histogram is named without what its samples end in.
    histograms = {name.removesuffix("_bucket") for name in exposed if name.endswith("_bucket")}
    served = {name for name in exposed if name.startswith("metergraph_")}
    assert named_metrics(PAGE) <= served | histograms
    samples = {f"{name}_{part}" for name in histograms for part in ("bucket", "sum", "count")}
    assert served - samples <= named_metrics(PAGE)


def test_every_metric_of_trouble_has_an_alert() -> None:
    watched = named_metrics(ALERTS)
    assert watched >= {
        "metergraph_database_up",
        "metergraph_clock_offset_seconds",
        "metergraph_worker_ready",
        "metergraph_lag_seconds",
        "metergraph_meters_failing",
        "metergraph_subscriptions_withheld",
        "metergraph_usage_drifts_total",
        "metergraph_outbox_pending",
        "metergraph_periods_due_seconds",
        "metergraph_request_errors_total",
    }


def test_its_settings_and_commands_are_there() -> None:
    settings = {variable_name(field) for field in Settings.model_fields}
    assert set(re.findall(r"METERGRAPH_[A-Z_]+[A-Z]", PAGE)) <= settings
    commands = set(re.findall(r"`metergraph ([a-z]+)", PAGE))
    assert commands
    assert commands <= set(cli.list_commands(Context(cli)))


async def test_old_entries_of_the_audit_log_are_removed_as_the_page_says(
    fresh_database: BaseDBAsyncClient, settings: Settings, api: Api
) -> None:
    """And afterwards the log takes new entries only, as before."""
    [statements] = re.findall(r"```sql\n(BEGIN;.*?audit_entry.*?)```", PAGE, re.DOTALL)
    create = """mutation { customerCreate(input: {}) { userErrors { code } } }"""
    await api.get(create)
    async with connection_to(settings) as connection:
        old = "INSERT INTO audit_entry SELECT gen_random_uuid(), organization_id, '2024-12-31Z',"
        old += (
            " actor_kind, actor, token_id, action, object_type, object_id, input FROM audit_entry"
        )
        await connection.execute(old)
        assert await connection.fetchval("SELECT count(*) FROM audit_entry") == 2
        await connection.execute(statements)
        assert await connection.fetchval("SELECT count(*) FROM audit_entry") == 1
        for table in ("audit_entry", "audit_entry_object"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(f"DELETE FROM {table}")
