"""Input of the mutation that changes the organization."""

import strawberry


@strawberry.input(
    description="Changes to the organization. A field that is left out keeps its value; null "
    "removes it."
)
class OrganizationUpdateInput:
    display_name: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The name that customers see: 1 to 256 characters. Null resets it to `name`.",
    )
    timezone: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The IANA time zone in which the organization's people read usage. Null "
        "resets it to UTC.",
    )
    address: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The address for invoices, with line breaks: 1 to 1,000 characters.",
    )
    logo_url: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The https URL of the logo, for invoices and the portal: at most 2,048 "
        "characters.",
    )
    invoice_grace_hours: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="For how many hours after the end of its period an invoice is a DRAFT: 0 to "
        "720. Null resets it to 0, which issues invoices at once. Drafts that exist keep theirs.",
    )
    payment_term_days: int | None = strawberry.field(
        default=strawberry.UNSET,
        description="Within how many days of 24 hours an invoice is to be paid: 0 to 365. Null "
        "means that invoices do not say. Issued invoices keep theirs.",
    )
