"""A tenant whose customers are billed every month, and what their invoices must come to."""

import secrets
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from tortoise.connection import get_connection

from billing.subscriptions.cycle import run_cycle
from metering.counting.log import advance
from models import Invoice, Organization
from tests.faults.clients import Api
from tests.faults.system import System, wait_until
from tests.ingesting import send
from tests.resolvers.ai_plan import METER, PRODUCT, SUBSCRIBE
from tests.serving import new_token

_CUSTOMERS = 4
_CENTS_A_TOKEN = 2
_SECONDS = 180.0


@dataclass
class Shop:
    """Customers of one plan: a fixed price in advance, and two cents a token."""

    system: System
    organization_id: UUID
    opened_at: datetime
    at: datetime
    sent: dict[str, int] = field(default_factory=dict)
    """The tokens of every event, by its external id."""

    def use(self) -> None:
        """Each customer uses some tokens."""
        number = len(self.sent)
        self._send({f"use-{number + place}": number + place + 1 for place in range(_CUSTOMERS)})

    def send_again(self) -> None:
        """Sends every event once more, as clients do after a restore."""
        self._send(self.sent)

    def month(self) -> None:
        """Ends the current periods and bills them."""
        self.at += timedelta(days=31)
        self.system.run(lambda: run_cycle(self.at, self.organization_id))

    def assert_billed(self) -> None:
        """After a last month, invoices are numbered without gaps and bill each token once."""
        self.month()
        wait_until(lambda: self.system.run(self._is_billed), _SECONDS, "every token is billed once")
        numbers = self.system.run(self._numbers)
        assert numbers == list(range(1, len(numbers) + 1))

    def _send(self, tokens: dict[str, int]) -> None:
        self.sent |= tokens
        events = [
            {
                "externalId": external_id,
                "externalCustomerId": f"buyer-{number % _CUSTOMERS}",
                "timestamp": self.opened_at + timedelta(hours=1),  # in the first period
                "metadata": {"tokens": count},
            }
            for number, (external_id, count) in enumerate(tokens.items())
        ]
        self.system.run(lambda: send(self.organization_id, *events))

    async def _is_billed(self) -> bool:
        while await advance(self.organization_id):
            pass
        await run_cycle(self.at, self.organization_id)
        rows = await get_connection("default").execute_query_dict(
            "SELECT kind, amount FROM invoice_line WHERE organization_id = $1",
            [self.organization_id],
        )
        billed = sum((row["amount"] for row in rows if row["kind"] != "FIXED"), Decimal(0))
        return bool(billed == _CENTS_A_TOKEN * sum(self.sent.values()))

    async def _numbers(self) -> list[int | None]:
        rows = await Invoice.filter(organization_id=self.organization_id).order_by("sequence")
        return [row.sequence for row in rows]


async def open_shop(system: System) -> tuple[Shop, Api]:
    """A new shop, and the API for its owner."""
    organization = await Organization.create(name="Shop", slug=f"s-{secrets.token_hex(6)}")
    api = Api(system.port, await new_token(organization))
    now = datetime.now(UTC)
    return Shop(system, organization.id, now, now), api


def open_for_business(api: Api) -> None:
    """Makes the plan, and its customers."""
    made, _ = api.insist(METER, name="Tokens")
    price = {
        "currency": "USD",
        "meterId": made["meterCreate"]["meter"]["id"],
        "pricing": "PER_UNIT",
        "unitAmount": str(_CENTS_A_TOKEN),
    }
    plan = {
        "name": "Plan",
        "recurringInterval": "MONTH",
        "prices": [{"fixed": {"currency": "USD", "amount": 500}}, {"metered": price}],
    }
    made, _ = api.insist(PRODUCT, input=plan)
    for number in range(_CUSTOMERS):
        subscription = {
            "externalCustomerId": f"buyer-{number}",
            "productId": made["productCreate"]["product"]["id"],
        }
        api.insist(
            "mutation ($id: String!) { customerCreate(input: {externalId: $id, "
            "idempotencyKey: $id}) { userErrors { message } } }",
            id=f"buyer-{number}",
        )
        answer, _ = api.insist(SUBSCRIBE, input=subscription)
        assert answer["customerSubscriptionCreate"]["userErrors"] == [], answer
