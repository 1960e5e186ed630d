"""How commands take an instant."""

from datetime import datetime

import click

from metering.language.instants import parse_instant

EXAMPLE = "ISO 8601 with an offset, such as 2026-03-01T00:00:00Z"


def read_instant(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> datetime | None:
    """The callback of an option; raises click.BadParameter for what is no instant."""
    if value is None:
        return None
    try:
        return parse_instant(value)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} {error}.") from None
