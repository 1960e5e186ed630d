"""Credit is grants. Those of the past are made of the ledger, period by period."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from itertools import groupby
from typing import Any
from uuid import UUID

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.fields import ExactJSONField, NumericField
from models.identifiers import new_id

_NOTHING = Decimal(0)

_PERIODS = """
SELECT id, customer_id, meter_id, starts_at, plain, rolling, granted_plain, granted_rolling,
       revocable_plain, revocable_rolling, consumed, closed_at
FROM metered_period WHERE organization_id = $1
ORDER BY customer_id, meter_id, closed_at IS NULL, ends_at, id
"""

_ENTRIES = """
SELECT entry.id, entry.metered_period_id, entry.kind, entry.units, entry.is_rolling,
       entry.benefit_id, entry.reason, entry.created_at,
       (benefit.parameters ->> 'units')::numeric AS whole_units
FROM credit_entry entry
LEFT JOIN benefit ON benefit.organization_id = $1 AND benefit.id = entry.benefit_id
WHERE entry.organization_id = $1 AND entry.kind IN ('GRANT', 'MANUAL')
ORDER BY entry.id
"""

_GRANT = """
INSERT INTO credit_grant (
    organization_id, id, customer_id, meter_id, metered_period_id, units, priority, effective_at,
    is_rolling, benefit_id, whole_units, reason, created_at
) VALUES ($1, $2, $3, $4, $5, $6, 50, $7, $8, $9, $10, $11, coalesce($12, now()))
"""

_HOLDING = """
INSERT INTO credit_holding (
    organization_id, metered_period_id, credit_grant_id, brought, revoked, taken, revocable, burned
) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""


@dataclass
class _Held:
    """A grant in a period."""

    grant_id: UUID
    is_rolling: bool
    brought: Decimal
    revoked: Decimal = _NOTHING
    taken: Decimal = _NOTHING
    revocable: Decimal = _NOTHING
    burned: Decimal = _NOTHING
    granted_units: Decimal | None = None

    @property
    def units(self) -> Decimal:
        return max(_NOTHING, self.brought - self.revoked - self.taken)


class _Chain:
    """The periods of a customer on a meter, in order."""

    def __init__(self, organization_id: UUID) -> None:
        self.organization_id = organization_id
        self.grants: list[list[Any]] = []
        self.holdings: list[list[Any]] = []
        self.entries: list[list[Any]] = []
        self._passed: list[_Held] = []

    def add(self, period: dict[str, Any], entries: Iterable[dict[str, Any]]) -> None:
        """Makes the grants of a period, so that they add up to the credit that it had."""
        held = self._passed
        for entry in entries:
            if entry["units"] > 0:
                held.append(self._grant(period, entry))
            else:
                self._take(held, -entry["units"])
        for is_rolling, units in ((False, period["plain"]), (True, period["rolling"])):
            alike = [one for one in held if one.is_rolling is is_rolling]
            lacking = max(_NOTHING, units) - sum((one.units for one in alike), _NOTHING)
            if lacking > 0:
                # Late usage and debits can cross each other.
                held.append(self._grant(period, {"units": lacking, "is_rolling": is_rolling}))
            else:
                self._take(alike, -lacking)
        self._passed = [] if period["closed_at"] is None else self._close(period, held)
        self.holdings += (
            [
                self.organization_id,
                period["id"],
                one.grant_id,
                one.brought,
                one.revoked,
                one.taken,
                one.revocable,
                one.burned,
            ]
            for one in held
        )

    def _grant(self, period: dict[str, Any], entry: dict[str, Any]) -> _Held:
        grant_id, benefit_id = new_id(), entry.get("benefit_id")
        self.grants.append(
            [
                self.organization_id,
                grant_id,
                period["customer_id"],
                period["meter_id"],
                period["id"],
                entry["units"],
                period["starts_at"],
                entry["is_rolling"],
                benefit_id,
                entry.get("whole_units"),
                entry.get("reason"),
                entry.get("created_at"),
            ]
        )
        if "id" in entry:
            self.entries.append([self.organization_id, entry["id"], grant_id])
        granted = None if benefit_id is None else entry["units"]
        return _Held(grant_id, entry["is_rolling"], entry["units"], granted_units=granted)

    @staticmethod
    def _take(held: list[_Held], units: Decimal) -> None:
        """Takes units of the grants that are used last."""
        for one in sorted(held, key=lambda one: (one.is_rolling, one.grant_id.bytes), reverse=True):
            taken = min(units, one.units)
            one.taken += taken
            units -= taken

    @staticmethod
    def _close(period: dict[str, Any], held: list[_Held]) -> list[_Held]:
        """Lets usage burn the grants, and returns what the next period gets."""
        is_cut = period["granted_plain"] is not None
        left = _NOTHING if period["starts_at"] is None else max(_NOTHING, period["consumed"])
        passed = []
        for one in sorted(held, key=lambda one: (one.is_rolling, one.grant_id.bytes)):
            one.burned = min(left, one.units)
            left -= one.burned
            kind = "rolling" if one.is_rolling else "plain"
            if is_cut and one.granted_units and period[f"granted_{kind}"]:
                part = one.granted_units * period[f"revocable_{kind}"] / period[f"granted_{kind}"]
                one.revocable = round(part, 6)
            unused = one.units - one.burned
            if unused and (is_cut or one.is_rolling):
                revoked = min(one.revocable, unused)
                passed.append(_Held(one.grant_id, one.is_rolling, unused, revoked))
        return passed


async def make_grants(_apps: Any, editor: Any) -> None:
    """Makes the grants of each organization."""
    client = editor.client
    for organization in await client.execute_query_dict("SELECT id FROM organization"):
        organization_id = organization["id"]
        entries: dict[UUID, list[dict[str, Any]]] = {}
        for entry in await client.execute_query_dict(_ENTRIES, [organization_id]):
            entries.setdefault(entry["metered_period_id"], []).append(entry)
        periods = await client.execute_query_dict(_PERIODS, [organization_id])
        for _, of_one in groupby(periods, key=lambda row: (row["customer_id"], row["meter_id"])):
            chain = _Chain(organization_id)
            for period in of_one:
                chain.add(period, entries.get(period["id"], []))
            for statement, rows in (
                (_GRANT, chain.grants),
                (_HOLDING, chain.holdings),
                (
                    "UPDATE credit_entry SET credit_grant_id = $3"
                    " WHERE organization_id = $1 AND id = $2",
                    chain.entries,
                ),
            ):
                if rows:
                    await client.execute_many(statement, rows)


class Migration(migrations.Migration):
    dependencies = [("models", "0060_archived_months")]

    initial = False

    operations = [
        ops.CreateModel(
            name="CreditGrant",
            fields=[
                (
                    "id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("organization_id", fields.UUIDField()),
                ("customer_id", fields.UUIDField()),
                ("meter_id", fields.UUIDField()),
                ("metered_period_id", fields.UUIDField()),
                ("units", NumericField(unique=False)),
                ("priority", fields.IntField()),
                (
                    "effective_at",
                    fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
                ),
                ("expires_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("is_rolling", fields.BooleanField()),
                ("benefit_id", fields.UUIDField(null=True)),
                ("whole_units", NumericField(null=True, unique=False)),
                ("rollover_limit", NumericField(null=True, unique=False)),
                ("reason", fields.CharField(null=True, max_length=1000)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("voided_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("void_reason", fields.CharField(null=True, max_length=1000)),
            ],
            options={
                "table": "credit_grant",
                "app": "models",
                "indexes": [
                    Index(
                        fields=["organization_id", "customer_id", "meter_id", "id"],
                        name="credit_grant_customer_meter",
                    )
                ],
                "pk_attr": "id",
                "table_description": "Units that a customer may use on a meter for a time.",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="CreditHolding",
            fields=[
                ("organization_id", fields.UUIDField()),
                ("metered_period_id", fields.UUIDField()),
                (
                    "credit_grant_id",
                    fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True),
                ),
                ("brought", NumericField(unique=False)),
                ("revoked", NumericField(default=_NOTHING, unique=False)),
                ("taken", NumericField(default=_NOTHING, unique=False)),
                ("revocable", NumericField(default=_NOTHING, unique=False)),
                ("burned", NumericField(default=_NOTHING, unique=False)),
            ],
            options={
                "table": "credit_holding",
                "app": "models",
                "indexes": [
                    Index(
                        fields=["organization_id", "credit_grant_id"],
                        name="credit_holding_grant",
                    )
                ],
                "pk_attr": "credit_grant_id",
                "table_description": "What a metered period has of a grant.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            [
                "ALTER TABLE credit_grant DROP CONSTRAINT credit_grant_pkey,"
                " ADD PRIMARY KEY (organization_id, id)",
                "ALTER TABLE credit_holding DROP CONSTRAINT credit_holding_pkey,"
                " ADD PRIMARY KEY (organization_id, metered_period_id, credit_grant_id)",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
        ops.AddField("CreditEntry", "credit_grant_id", fields.UUIDField(null=True)),
        ops.AddField(
            "CustomerMeter",
            "credit_until",
            fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            "MeteredPeriod", "is_cut", fields.BooleanField(default=False, db_default=False)
        ),
        ops.AddField(
            "MeteredPeriod",
            "turned_at",
            fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField("MeteredPeriod", "piece_units", ExactJSONField(null=True)),
        ops.RunPython(make_grants),
        ops.RunSQL(
            [
                "UPDATE metered_period SET is_cut = true WHERE granted_plain IS NOT NULL",
                # Rows whose credit is about to change are few.
                "CREATE INDEX customer_meter_credit_until ON customer_meter"
                " (organization_id, credit_until) WHERE credit_until IS NOT NULL",
            ],
            reverse_sql=ops.RunSQL.noop,
        ),
        *(
            ops.RemoveField("MeteredPeriod", name)
            for name in (
                "plain",
                "rolling",
                "granted_plain",
                "granted_rolling",
                "revocable_plain",
                "revocable_rolling",
                "carried",
            )
        ),
    ]
