"""The options with which a command finds the API and its token."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import click

from config.settings import Settings, variable_name
from metergraph.demo.organization import demo_token
from metergraph.embedded import running_addresses


@dataclass(frozen=True)
class Api:
    """Where the API is, and a token for it."""

    url: str
    token: str


def api_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Adds --url and --token, to be given to `find_api`."""
    command = click.option(
        "--token",
        envvar=variable_name("token"),
        help="The bearer token.  [default: METERGRAPH_TOKEN, else that of the demo]",
    )(command)
    return click.option(
        "--url",
        envvar=variable_name("api_url"),
        help="Of the API.  [default: METERGRAPH_API_URL, else what `metergraph dev` runs]",
    )(command)


def find_api(settings: Settings, url: str | None, token: str | None) -> Api:
    """The API to use.

    Args:
        settings: the data directory, the host and the port.
        url: as given; None: that of the running `metergraph dev`.
        token: as given; None: the demo's, which is only ever shown to our own `metergraph dev`.

    Raises:
        click.ClickException: there is no token, or nothing runs to send it to.
    """
    running = running_addresses(settings.data_dir)
    running_url = None if running is None else running.api_url
    if token is None and url is None:
        token = demo_token(settings.data_dir.expanduser())
        if running_url is None:
            raise click.ClickException(
                f"Metergraph does not run on {settings.data_dir.expanduser().resolve()}. Start it "
                "with `metergraph dev`, or say where the API is, with --url and --token."
            )
    if token is None:
        raise click.UsageError(f"Give a token, with --token or {variable_name('token')}.")
    return Api(url or running_url or f"http://{settings.host}:{settings.port}", token)
