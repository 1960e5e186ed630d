"""Organizations as the command line names them."""

import click

from models import Organization


async def organization_called(slug: str) -> Organization:
    """The organization with this slug; raises ClickException where there is none."""
    organization = await Organization.get_or_none(slug=slug)
    if organization is None:
        raise click.ClickException(
            f"There is no organization {slug}; `metergraph organization list` lists them."
        )
    return organization
