"""Events that a meter cannot count, as the database refuses them."""

from datetime import UTC, datetime, timedelta

from tortoise.backends.base.client import BaseDBAsyncClient

from models import Meter

# Too much for a bucket here; an invoice still holds it, in minor units.
POISON = 10**15


async def refuse_poison(database: BaseDBAsyncClient, sqlstate: str = "22003") -> None:
    """Makes the database fail on buckets with a huge value in them."""
    await database.execute_script(
        f"""
        CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'too much for a bucket' USING ERRCODE = '{sqlstate}';
        END $$;
        CREATE OR REPLACE TRIGGER refuse BEFORE INSERT OR UPDATE ON usage_bucket FOR EACH ROW
        WHEN (NEW.sum > 1e11 OR NEW.maximum > 1e11) EXECUTE FUNCTION refuse();
        """
    )


async def let_retry(meter: Meter) -> None:
    """Ends the pause after a failure."""
    await Meter.filter(id=meter.id).update(retry_at=datetime.now(UTC) - timedelta(days=1))


async def accept_poison(database: BaseDBAsyncClient) -> None:
    """Takes the cause away."""
    await database.execute_script("DROP TRIGGER refuse ON usage_bucket")
