"""Shared arguments of commands: an organization, an instant, the API and its token."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click

from config.settings import Settings, variable_name
from metergraph.demo.organization import demo_token
from metergraph.embedded import running_addresses
from metering.language.instants import parse_instant
from metering.texts import NAME, name_fault
from models import Organization

INSTANT = "ISO 8601 with an offset, such as 2026-03-01T00:00:00Z"


async def organization_called(slug: str) -> Organization:
    """Returns the organization with this slug; raises ClickException if there is none."""
    organization = await Organization.get_or_none(slug=slug)
    if organization is None:
        raise click.ClickException(
            f"There is no organization {slug}; `metergraph organization list` lists them."
        )
    return organization


def read_instant(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> datetime | None:
    """The callback of an option that takes an instant."""
    if value is None:
        return None
    try:
        return parse_instant(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} {error}.") from None


def read_name(_context: click.Context, _parameter: click.Parameter, value: str) -> str:
    """The callback of an argument that is a name; it is stored without spaces around it."""
    name = value.strip()
    if fault := name_fault(name, NAME):
        raise click.BadParameter(f"The name {fault[1]}")
    return name


@dataclass(frozen=True)
class Api:
    """Where the API is, and a token for it."""

    url: str
    token: str


def api_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --url and --token, for `find_api`."""
    command = click.option(
        "--token",
        envvar=variable_name("token"),
        help="The bearer token.  [default: METERGRAPH_TOKEN, else the demo's]",
    )(command)
    return click.option(
        "--url",
        envvar=variable_name("api_url"),
        help="The API.  [default: METERGRAPH_API_URL, else that of `metergraph dev`]",
    )(command)


def find_api(settings: Settings, url: str | None, token: str | None) -> Api:
    """Returns the API to use.

    Args:
        settings: the data directory, the host and the port.
        url: the option; None: that of the running `metergraph dev`.
        token: the option; None: the demo's, which is sent only to our own `metergraph dev`.

    Raises:
        click.ClickException: there is no token, or no API to send it to.
    """
    running = running_addresses(settings.data_dir)
    running_url = None if running is None else running.api_url
    if token is None and url is None:
        token = demo_token(settings.data_dir.expanduser())
        if running_url is None:
            raise click.ClickException(
                f"Metergraph is not running on {settings.data_dir.expanduser().resolve()}. Start "
                "it with `metergraph dev`, or name another API with --url and --token."
            )
    if token is None:
        raise click.UsageError(f"Give a token, with --token or {variable_name('token')}.")
    return Api(url or running_url or f"http://{settings.host}:{settings.port}", token)
