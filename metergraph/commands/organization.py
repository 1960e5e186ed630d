"""`metergraph organization`: creates and lists the tenants."""

import re

import click
from tortoise.transactions import in_transaction

from config.settings import Settings
from metergraph.arguments import read_name
from metergraph.auditing import write_command_entry
from metergraph.database.with_database import run_with_database
from models import Organization
from schema.audit_log.entries import AuditedObject

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_LONGEST_SLUG = 64


@click.group()
def command() -> None:
    """Create and list organizations, the tenants."""


@command.command()
@click.argument("name", callback=read_name)
@click.option("--slug", help="Its short name for commands.  [default: made from NAME]")
def create(name: str, slug: str | None) -> None:
    """Create an organization called NAME."""
    chosen = slug if slug is not None else slug_of(name)
    if len(chosen) > _LONGEST_SLUG or not _SLUG.fullmatch(chosen):
        raise click.ClickException(
            f"The slug {chosen!r} is not valid. Choose one with --slug: lower-case letters and "
            f"digits, in words joined by single hyphens, at most {_LONGEST_SLUG} characters."
        )
    run_with_database(lambda _settings: _create(name, chosen))
    click.echo(f"Created the organization {chosen}. Next:")
    click.echo(f"  metergraph token create --organization {chosen} --name NAME --scope ADMIN")


@command.command(name="list")
def list_() -> None:
    """List the organizations."""
    for slug, name in run_with_database(_list):
        click.echo(f"{slug}\t{name}")


def slug_of(name: str) -> str:
    """Makes a slug from a name: `acme-inc` from `Acme, Inc.`."""
    return "-".join(re.findall(r"[a-z0-9]+", name.lower()))[:_LONGEST_SLUG].strip("-")


async def _create(name: str, slug: str) -> None:
    async with in_transaction() as connection:
        made, is_new = await Organization.get_or_create(
            slug=slug, defaults={"name": name}, using_db=connection
        )
        if not is_new:
            message = f"The organization {slug} already exists; choose another slug."
            raise click.ClickException(message)
        about = AuditedObject("Organization", made.id)
        await write_command_entry(connection, made.id, about, {"name": name, "slug": slug})


async def _list(settings: Settings) -> list[tuple[str, str]]:
    del settings
    organizations = await Organization.all().order_by("slug")
    return [(organization.slug, organization.name) for organization in organizations]
