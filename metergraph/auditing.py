"""Entries of the audit log for commands that change data."""

import os
import pwd
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import click
from tortoise.backends.base.client import BaseDBAsyncClient

from schema.audit_log.entries import Actor, ActorKind, AuditedObject, write_entry
from schema.audit_log.shown_input import shown_input


async def write_command_entry(
    connection: BaseDBAsyncClient,
    organization_id: UUID,
    about: AuditedObject,
    options: Mapping[str, Any],
) -> None:
    """Writes an entry for the running command, in the transaction of the change."""
    await write_entry(
        connection,
        organization_id,
        Actor(ActorKind.COMMAND_LINE, name=_account()),
        click.get_current_context().command_path,
        [about],
        shown_input(options),
    )


def _account() -> str:
    """Returns the name of the account that runs this process, or its number if it has no name."""
    number = os.geteuid()
    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
