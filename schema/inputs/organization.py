"""Input of the mutation that changes the organization."""

import strawberry


@strawberry.input(
    description="Changes of the organization: what is left out stays, null takes a value away."
)
class OrganizationUpdateInput:
    display_name: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="What its customers call it: 1 to 256 characters. Null: its `name`.",
    )
    timezone: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The IANA time zone in which its people read usage. Null: UTC.",
    )
    address: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="Its address, for invoices, with line breaks: 1 to 1,000 characters.",
    )
    logo_url: str | None = strawberry.field(
        default=strawberry.UNSET,
        description="The https address of its logo, for invoices and the portal: at most 2,048 "
        "characters.",
    )
