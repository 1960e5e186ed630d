"""Databases in which meters have left out events are not migrated before those are counted."""

from importlib import import_module
from typing import Any

import asyncpg
import pytest
from tortoise.backends.base.client import BaseDBAsyncClient

from models import Organization


@pytest.mark.parametrize("counted_from", ["NULL", "7"])
async def test_events_that_were_left_out_are_not_forgotten(
    fresh_database: BaseDBAsyncClient, organization: Organization, counted_from: str
) -> None:
    migration: Any = import_module("models.migrations.0018_failing_meters").Migration
    (check,) = migration.operations[0].sql
    await fresh_database.execute_script(
        f"""
        CREATE TABLE uncounted_event AS
        SELECT '{organization.id}'::uuid AS organization_id, {counted_from}::bigint AS counted_from
        """
    )
    if counted_from != "NULL":
        await fresh_database.execute_script(check)
        return
    with pytest.raises(asyncpg.RaiseError, match="left out 1 events"):
        await fresh_database.execute_script(check)
