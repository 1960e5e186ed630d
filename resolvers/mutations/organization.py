"""Mutation organizationUpdate."""

from typing import Any
from urllib.parse import urlsplit

import strawberry

from metering.problems import Problem, problem, refuse_any
from metering.texts import ADDRESS, NAME, URL, given_name_problems
from metering.usage.windows import RangeError, zone_of
from models import Organization as OrganizationRow
from resolvers.mutating import mutates
from schema.context import Info, Scope
from schema.inputs.organization import OrganizationUpdateInput
from schema.types.organization import Organization
from schema.types.payloads import OrganizationUpdatePayload

MOST_GRACE_HOURS = 720
MOST_TERM_DAYS = 365


@strawberry.type
class OrganizationMutation:
    @strawberry.mutation(
        description="Changes how pages and invoices show the organization, and when invoices are "
        "issued and due. A field that is left "
        "out keeps its value; null removes it.",
        extensions=[mutates(Scope.ADMIN)],
    )
    async def organization_update(
        self, info: Info, input: OrganizationUpdateInput
    ) -> OrganizationUpdatePayload:
        refuse_any(_problems(input))
        row = await OrganizationRow.get(id=info.context.organization_id)
        sent = {
            "display_name": input.display_name,
            "timezone": "UTC" if input.timezone is None else input.timezone,
            "address": input.address,
            "logo_url": input.logo_url,
            "invoice_grace_hours": (
                0 if input.invoice_grace_hours is None else input.invoice_grace_hours
            ),
            "payment_term_days": input.payment_term_days,
        }
        changes = {name: value for name, value in sent.items() if value is not strawberry.UNSET}
        if changes:
            await row.update_from_dict(changes).save(update_fields=list(changes))
        return OrganizationUpdatePayload(organization=Organization.of(row))


def _problems(sent: OrganizationUpdateInput) -> list[Problem]:
    problems = given_name_problems(
        ("displayName", sent.display_name, NAME),
        ("address", sent.address, ADDRESS),
        ("logoUrl", sent.logo_url, URL),
    )
    for field, value, most in (
        ("invoiceGraceHours", sent.invoice_grace_hours, MOST_GRACE_HOURS),
        ("paymentTermDays", sent.payment_term_days, MOST_TERM_DAYS),
    ):
        if isinstance(value, int) and not 0 <= value <= most:
            problems.append(problem("INVALID", f"{field} must be from 0 to {most}.", field))
    if isinstance(sent.timezone, str) and not _is_zone(sent.timezone):
        message = f"timezone is not an IANA time zone: {sent.timezone[:64]!r}."
        problems.append(problem("INVALID", message, "timezone"))
    if not problems and isinstance(sent.logo_url, str) and not _is_https(sent.logo_url):
        message = "logoUrl must be an address such as https://example.com/logo.svg."
        problems.append(problem("INVALID", message, "logoUrl"))
    return problems


def _is_zone(name: str) -> bool:
    try:
        zone_of(name)
    except RangeError:
        return False
    return True


def _is_https(text: str) -> bool:
    """Whether this is an https URL with a host and without a password."""
    if not text.isprintable() or " " in text or "\\" in text:
        return False
    try:
        parts: Any = urlsplit(text)
        parts.port  # noqa: B018  # which raises where it is none
    except ValueError:
        return False
    return parts.scheme == "https" and bool(parts.hostname) and "@" not in parts.netloc
