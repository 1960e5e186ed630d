"""Deletes what a meter has kept by dimensions that it no longer has, chunk by chunk."""

from tortoise.backends.base.client import BaseDBAsyncClient

from metering.language.definition import MeterDefinition

_ROWS = 20_000
_KEYS = {
    "dimension_value": "customer_id, bucket, combination, value",
    "dimension_bucket": "customer_id, bucket, combination",
    "dimension_combination": "customer_id, month, key",
}


async def clear_dimensions(connection: BaseDBAsyncClient, meter: MeterDefinition) -> bool:
    """Deletes a chunk of the meter's usage by dimension. Returns False if there is none left.

    The caller has claimed the meter's history, and the meter is CLEARING, so nothing is added.
    """
    for table, key in _KEYS.items():
        deleted, _rows = await connection.execute_query(
            f"""
            DELETE FROM {table}
            WHERE organization_id = $1 AND meter_id = $2 AND ({key}) IN (
                SELECT {key} FROM {table}
                WHERE organization_id = $1 AND meter_id = $2
                ORDER BY {key} LIMIT $3
            )
            """,
            [meter.organization_id, meter.id, _ROWS],
        )
        if deleted:
            return True
    return False
