"""Charges: lines of an invoice that do not depend on usage, as a closed period keeps them.

They are decided when the period is closed, and invoiced when its usage is counted. By then the
subscription may have changed once more.
"""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from billing.periods.intervals import Period
from billing.rating.lines import Line, LineKind
from billing.rating.steps import steps_from_json, steps_to_json
from models import exact_json


def stored_charges(lines: Iterable[Line]) -> str:
    """Returns lines as JSON text."""
    return exact_json.dumps(
        [
            {
                "kind": line.kind.value,
                "description": line.description,
                "priceId": str(line.price_id),
                "start": line.period.start.isoformat(),
                "end": line.period.end.isoformat(),
                "amount": line.amount,
                "steps": steps_to_json(line.steps),
            }
            for line in lines
        ]
    )


def charges_of(stored: str) -> list[Line]:
    """Loads the lines from what `stored_charges` returned."""
    return [
        Line(
            kind=LineKind(charge["kind"]),
            description=charge["description"],
            price_id=UUID(charge["priceId"]),
            period=Period(
                datetime.fromisoformat(charge["start"]), datetime.fromisoformat(charge["end"])
            ),
            amount=charge["amount"],
            steps=steps_from_json(charge.get("steps", ())),
        )
        for charge in exact_json.loads(stored)
    ]
