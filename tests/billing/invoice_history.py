"""Random histories in which people also draft, pay, void and credit invoices."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from billing.subscriptions.life import CancelWhen
from metering.problems import RefusedError
from models import Invoice
from tests.billing.history import History
from tests.billing.history_steps import (
    Action,
    Cancel,
    Count,
    Cycle,
    Send,
    Subscribe,
    Wait,
    WaitForEnd,
    discounting,
)
from tests.billing.world import BilledInvoice


@dataclass
class Grace:
    """Invoices of periods that end from now on are drafts for so long."""

    hours: int


@dataclass
class Finalize:
    """One of the drafts is issued."""

    which: int


@dataclass
class Pay:
    """One of the invoices is paid, if it can be."""

    which: int


@dataclass
class Void:
    """One of the invoices is voided, if it can be."""

    which: int
    write_off: bool


@dataclass
class Credit:
    """A credit note over one of the invoices, if there is so much left of it."""

    which: int
    amount: int
    refunded: bool


InvoiceAction = Grace | Finalize | Pay | Void | Credit

_which = st.integers(0, 5)
_sending = st.builds(Send, st.integers(0, 24 * 60), st.integers(-5, 20))
_steps: st.SearchStrategy[Action | InvoiceAction] = st.one_of(
    _sending,
    _sending,
    st.builds(Wait, st.integers(1, 24 * 40)),
    st.just(WaitForEnd()),
    st.just(Count()),
    st.just(Cycle()),
    st.just(Cycle()),
    st.builds(Cancel, st.sampled_from(CancelWhen), st.just(False)),
    st.just(Subscribe()),
    discounting,
    st.builds(Grace, st.sampled_from((0, 36, 720))),
    st.builds(Finalize, _which),
    st.builds(Pay, _which),
    st.builds(Void, _which, st.booleans()),
    st.builds(Void, _which, st.booleans()),
    st.builds(Credit, _which, st.integers(1, 600), st.booleans()),
)
invoice_actions = st.builds(
    lambda after: [Subscribe(), *after], st.lists(_steps, min_size=5, max_size=30)
)

EVERY_STATE: list[Action | InvoiceAction] = [
    Subscribe(),
    *(Send(24, 10), Count(), WaitForEnd(), Cycle(), Void(0, write_off=False)),
    *(Send(24 * 20, 5), Count(), WaitForEnd(), Cycle(), Credit(0, 100, refunded=False)),
    *(WaitForEnd(), Cycle(), Void(0, write_off=True), Pay(1)),
    *(Grace(720), WaitForEnd(), Cycle(), Send(24, 7), Count(), Finalize(0)),
    *(WaitForEnd(), Cycle()),
]
"""A history in which an invoice is in every state, and what is void is billed again."""


@dataclass
class InvoiceHistory(History):
    """A history that also knows what must have become of invoices and of the balance."""

    seen: dict[int, list[Any]] = field(default_factory=dict)
    voided: dict[int, bool] = field(default_factory=dict)
    credited: dict[int, int] = field(default_factory=dict)
    paid: set[int] = field(default_factory=set)
    balance: int = 0

    async def play_all(self, steps: list[Action | InvoiceAction]) -> None:
        """Lets it happen, then time pass, until every draft is issued and everything is billed."""
        for step in steps:
            await self._do(step)
            await self._observe()
        await self.world.grace(0)
        await self._take(Count())
        # So long that whatever has ended is invoiced once more.
        self.now += timedelta(days=70)
        await self._take(Cycle())
        await self._observe()
        while drafts := await self.world.drafts():
            await self.world.finalize(drafts[0][0], self._now)
            await self._observe()

    async def _do(self, step: Action | InvoiceAction) -> None:
        match step:
            case Grace(hours):
                await self.world.grace(hours)
            case Finalize(which):
                drafts = await self.world.drafts()
                if which < len(drafts):
                    await self.world.finalize(drafts[which][0], self._now)
            case Pay(which) | Void(which) | Credit(which):
                invoices = await self.world.invoices()
                if which < len(invoices):
                    await self._settle(step, invoices[-1 - which])
            case _:
                await self._take(step)

    async def _settle(self, step: Pay | Void | Credit, one: BilledInvoice) -> None:
        """Refused exactly where it must be."""
        number, invoice = one.invoice.sequence, await Invoice.get(id=one.invoice.id)
        is_issued = number not in self.paid and number not in self.voided
        credited = self.credited.get(number, 0)
        match step:
            case Pay():
                if is_issued:
                    await self.world.pay(invoice, self._now)
                    self.paid.add(number)
                else:
                    with pytest.raises(RefusedError):
                        await self.world.pay(invoice, self._now)
            case Void(_, write_off):
                change = used_by(one) + min(0, sum(one.amounts))
                if is_issued and not credited and self.balance + change >= 0:
                    await self.world.void(invoice, self._now, write_off=write_off)
                    self.voided[number] = write_off
                    self.balance += change
                else:
                    with pytest.raises(RefusedError):
                        await self.world.void(invoice, self._now, write_off=write_off)
            case Credit(_, amount, refunded):
                if number not in self.voided and credited + amount <= sum(one.amounts):
                    await self.world.note(invoice, amount, self._now, refunded=refunded)
                    self.credited[number] = credited + amount
                    self.balance += 0 if refunded else amount
                else:
                    with pytest.raises(RefusedError):
                        await self.world.note(invoice, amount, self._now, refunded=refunded)

    async def _observe(self) -> None:
        """Issued lines never change, and new invoices use as much of the balance as they can."""
        for one in await self.world.invoices():
            number, lines = one.invoice.sequence, [dict(line) for line in one.lines]
            if number not in self.seen:
                subtotal = sum(one.amounts) + used_by(one)
                assert used_by(one) == max(0, min(subtotal, self.balance))
                self.balance -= used_by(one) + min(0, subtotal)
                self.seen[number] = lines
            assert lines == self.seen[number]
            assert one.invoice.total == sum(one.amounts)
        owed = await self.world.owed(self.customer)
        assert owed == ({"USD": self.balance} if self.balance else {})
        assert self.balance >= 0

    async def counted(self) -> list[BilledInvoice]:
        """The invoices that count: those that are not void, and those that are written off."""
        return [
            one
            for one in await self.world.invoices()
            if self.voided.get(one.invoice.sequence, True)
        ]


def used_by(one: BilledInvoice) -> int:
    """The balance that an invoice used."""
    return -sum(int(line.amount) for line in one.lines if line.kind == "BALANCE")
