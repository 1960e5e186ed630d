"""`metergraph token`: creates, lists and revokes access tokens."""

from datetime import datetime
from typing import Any
from uuid import UUID

import click
from tortoise.transactions import in_transaction

from config import clock
from metergraph.arguments import INSTANT, organization_called, read_instant, read_name
from metergraph.auditing import write_command_entry
from metergraph.database.with_database import run_with_database
from models import AccessToken
from schema.audit_log.entries import AuditedObject
from schema.context import Scope
from schema.secrets import hash_secret, new_secret


class _ScopeName(click.Choice[str]):
    """The name of a scope, in upper or lower case."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(str(value).upper(), param, ctx)


_organization = click.option(
    "--organization", "slug", required=True, metavar="SLUG", help="The organization of the token."
)


def _read_future(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> datetime | None:
    instant = read_instant(context, parameter, value)
    if instant is not None and instant <= clock.now():
        raise click.BadParameter(f"{value!r} is not in the future.")
    return instant


@click.group()
def command() -> None:
    """Create, list and revoke access tokens."""


@command.command()
@_organization
@click.option("--name", required=True, callback=read_name, help="What the token is for.")
@click.option(
    "--scope",
    "scopes",
    type=_ScopeName([scope.name for scope in Scope]),
    multiple=True,
    required=True,
    help="What the token may do; repeatable.",
)
@click.option(
    "--expires-at",
    callback=_read_future,
    metavar="INSTANT",
    help=f"When it and the sessions that it opened expire: {INSTANT}.  [default: never]",
)
def create(slug: str, name: str, scopes: tuple[str, ...], expires_at: datetime | None) -> None:
    """Create a token and print its secret once."""
    secret = new_secret()
    run_with_database(lambda _settings: _create(slug, name, scopes, secret, expires_at))
    click.echo(secret)
    click.echo("Keep it: only its hash is stored, so it is not shown again.", err=True)


@command.command(name="list")
@_organization
def list_(slug: str) -> None:
    """List an organization's tokens."""
    for token in run_with_database(lambda _settings: _list(slug)):
        click.echo(
            f"{token.id}\t{token.name}\t{','.join(token.scopes)}\t"
            f"created {_moment(token.created_at)}\tlast used {_moment(token.last_used_at)}\t"
            f"{_state(token)}"
        )


@command.command()
@_organization
@click.argument("token_id", metavar="ID", type=click.UUID)
def revoke(slug: str, token_id: UUID) -> None:
    """Revoke a token by its ID.

    `metergraph token list` shows the IDs. The token and the sessions that it opened are refused
    from now on.
    """
    run_with_database(lambda _settings: _revoke(slug, token_id))
    click.echo(f"Revoked {token_id}.")


async def _create(
    slug: str, name: str, scopes: tuple[str, ...], secret: str, expires_at: datetime | None
) -> None:
    organization = await organization_called(slug)
    async with in_transaction() as connection:
        token = await AccessToken.create(
            organization=organization,
            name=name,
            scopes=sorted(set(scopes)),
            secret_hash=hash_secret(secret),
            expires_at=expires_at,
            using_db=connection,
        )
        options = {"name": name, "scopes": token.scopes, "expiresAt": expires_at}
        about = AuditedObject("AccessToken", token.id)
        await write_command_entry(connection, organization.id, about, options)


async def _list(slug: str) -> list[AccessToken]:
    organization = await organization_called(slug)
    return await AccessToken.filter(organization_id=organization.id).order_by("created_at")


async def _revoke(slug: str, token_id: UUID) -> None:
    organization = await organization_called(slug)
    token = await AccessToken.get_or_none(id=token_id, organization_id=organization.id)
    if token is None:
        raise click.ClickException(f"{slug} has no token {token_id}.")
    async with in_transaction() as connection:
        if token.revoked_at is None:
            token.revoked_at = clock.now()
            await token.save(using_db=connection, update_fields=["revoked_at"])
        about = AuditedObject("AccessToken", token.id)
        await write_command_entry(connection, organization.id, about, {"id": str(token_id)})


def _state(token: AccessToken) -> str:
    if token.revoked_at is not None:
        return f"revoked {_moment(token.revoked_at)}"
    if token.expires_at is None:
        return "valid"
    verb = "expired" if token.expires_at <= clock.now() else "valid until"
    return f"{verb} {_moment(token.expires_at)}"


def _moment(instant: datetime | None) -> str:
    return "never" if instant is None else instant.isoformat(timespec="seconds")
