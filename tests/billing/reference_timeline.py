"""A customer's subscriptions in the reference: their parts, one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from billing.periods.intervals import Period
from tests.billing.reference_parts import (
    Off,
    Plan,
    Subscribed,
    begun,
    half_away,
    in_advance,
    next_usage,
    share_of,
    trial_of,
)


@dataclass
class Timeline:
    """The subscriptions to some plans. Whoever tells it something says when."""

    plans: Sequence[Plan]
    subscriptions: list[Subscribed] = field(default_factory=list, kw_only=True)

    # ------------------------------------------------------------ what is asked for

    def subscribe(self, now: datetime, quantity: int, trial_ends_at: datetime | None) -> None:
        """A subscription to the first plan begins, maybe with a trial."""
        self.advance(now)
        plan, charges = self.plans[0], []
        anchor = trial_ends_at or now
        if trial_ends_at is None:
            part = begun(plan, quantity, anchor, now)
            charges = [in_advance(part)]
        else:
            part = trial_of(plan, quantity, Period(now, trial_ends_at))
        self.subscriptions.append(Subscribed(anchor, [part], charges))

    def change(self, now: datetime, plan: Plan, quantity: int, *, at_once: bool) -> None:
        """The last subscription becomes another, now or with its next period."""
        self.advance(now)
        one = self.subscriptions[-1]
        if not at_once:
            one.pending = (plan, quantity)
            return
        one.pending = None
        old = one.parts[-1]
        rest = Period(now, old.paid.end)
        left = share_of(rest, old.paid_whole)
        if not old.is_trial:
            one.give_back(old, rest)
        goes_on = old.is_trial or plan.interval == old.plan.interval
        one.bill(old, rest=left if goes_on else None)
        if old.is_trial:
            new = replace(trial_of(plan, quantity, old.whole), start=now)
        elif plan.interval == old.plan.interval:
            new = next_usage(plan, quantity, one.anchor, rest, old.paid_whole, now)
            amount = half_away(plan.fixed * quantity * left)
            old.charges.append(("PRORATION", amount, rest))
        else:
            one.anchor = now
            new = begun(plan, quantity, now, now)
            old.charges.append(in_advance(new))
        old.end, old.cut = now, share_of(Period(now, old.end), old.whole)
        one.parts.append(new)

    def drop_change(self, now: datetime) -> None:
        """The change that is pending is dropped."""
        self.advance(now)
        self.subscriptions[-1].pending = None

    def cancel(self, now: datetime, *, at_once: bool, prorate: bool) -> None:
        """The last subscription ends, or will."""
        self.advance(now)
        one = self.subscriptions[-1]
        one.pending = None
        last = one.parts[-1]
        if not at_once:
            one.cancels = True
            return
        if prorate and not last.is_trial:
            one.give_back(last, Period(now, last.paid.end))
        one.bill(last)
        # Caps and minimums stay those of the time that it was meant to last.
        one.granted[len(one.parts) - 1] = last.share
        last.end = one.ended = now

    def resume(self, now: datetime) -> None:
        """The last subscription does not end with its period."""
        self.advance(now)
        self.subscriptions[-1].cancels = False

    def discount(self, now: datetime, off: Off, periods: int | None) -> None:
        """The last subscription gets a discount in place of the one that it has."""
        self.advance(now)
        one = self.subscriptions[-1]
        one.off, one.off_periods = off, periods

    # ------------------------------------------------------------ what follows from it

    def advance(self, now: datetime) -> None:
        """Lets the periods that are over be followed by the next ones."""
        one = self.subscriptions[-1] if self.subscriptions else None
        while one is not None and one.ended is None and one.parts[-1].end <= now:
            last = one.parts[-1]
            if last.end < last.paid.end:
                one.bill(last, goes_on=True)
                paid = (last.paid, last.paid_whole)
                following = next_usage(last.plan, last.quantity, one.anchor, *paid, last.end)
                one.parts.append(following)
                continue
            one.bill(last)
            if one.cancels:
                one.ended = last.end
                return
            plan, quantity = one.pending or (last.plan, last.quantity)
            one.pending = None
            if plan.interval != last.plan.interval:
                one.anchor = last.end
            following = begun(plan, quantity, one.anchor, last.end)
            last.charges.append(in_advance(following))
            one.parts.append(following)

    def is_live(self, now: datetime) -> bool:
        """Whether a subscription runs."""
        self.advance(now)
        return bool(self.subscriptions) and self.subscriptions[-1].ended is None

    def end_of_period(self, now: datetime) -> datetime | None:
        """Where the current usage period ends; None without one."""
        return self.subscriptions[-1].parts[-1].end if self.is_live(now) else None
