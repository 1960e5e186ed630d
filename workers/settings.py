"""The worker process: wake-ups through arq, and a schedule that needs no Redis."""

import asyncio
import signal
from functools import partial
from typing import Any

import structlog
from arq.connections import ArqRedis
from arq.worker import func

from billing.alerts.estimated import decide_estimates
from config.settings import get_settings
from metering.live.after_commit import performing_events
from metering.live.redis_connections import REDIS_FAILURES
from metering.live.wakeup import QUEUE
from metering.months import make_months_ahead
from waiting.outages import Outage
from waiting.patience import Patience
from webhooks.fan_out import Render
from workers.announced_jobs import AnnouncedJobs, AnnouncedWorker
from workers.archive_events import Retention
from workers.compact_changes import compact_changes
from workers.daily import Daily
from workers.delete_expired import delete_expired
from workers.deliver_webhooks import Delivering, deliver_webhooks
from workers.erase_customers import erase_customers
from workers.grant_cycle_credits import grant_cycle_credits
from workers.measurements import Activity, Measurements
from workers.outages import database_outage
from workers.pack_months import pack_months
from workers.process_events import Counting, catch_up_meters, process_events
from workers.recompute_usage import NightlyAudit
from workers.schedule import Recurring, WorkerStatus
from workers.simulate_prices import Simulating

_log = structlog.get_logger(__name__)

_SECONDS_BETWEEN_TRIES = 0.5
_SECONDS_BETWEEN_CANCELS = 0.2
# A job works in steps, each with its own deadline. A busy organization or a long history needs
# many; the sweep continues where a job was cut off.
_JOB_SECONDS = 3_600
# With arq's default of 10, ten long histories would leave no job for new events.
_JOBS_AT_ONCE = 200
_SWEEP_SECONDS = 1.0
_CYCLE_SECONDS = 10.0
_ALERTS_SECONDS = 5.0
_COMPACTION_SECONDS = 10.0
_ERASING_SECONDS = 1.0
_SIMULATION_SECONDS = 1.0
_EXPIRY_SECONDS = 60.0
_AUDIT_SECONDS = 60.0
_MONTHS_SECONDS = 600.0
_PACKING_SECONDS = 600.0
_RETENTION_SECONDS = 600.0


def build_worker(
    redis: ArqRedis,
    counting: Counting,
    delivering: Delivering,
    database: Outage,
    announced: AnnouncedJobs,
) -> AnnouncedWorker:
    """A worker of arq on an open queue. It handles no signals; cancel `async_run` to stop it."""
    return AnnouncedWorker(
        announced,
        functions=[
            func(process_events, keep_result=0, timeout=_JOB_SECONDS),
            func(catch_up_meters, keep_result=0, timeout=_JOB_SECONDS),
            func(deliver_webhooks, keep_result=0, timeout=_JOB_SECONDS),
        ],
        queue_name=QUEUE,
        redis_pool=redis,
        handle_signals=False,
        max_jobs=_JOBS_AT_ONCE,
        keep_result=0,
        log_results=False,
        ctx={"counting": counting, "delivering": delivering, "database": database},
        job_serializer=redis.job_serializer,
        job_deserializer=redis.job_deserializer,
    )


async def run_worker(redis: ArqRedis, status: WorkerStatus, render: Render) -> None:
    """Works until SIGTERM or SIGINT. The database must be open, and the queue of arq is closed.

    `render` makes the objects of webhooks.

    arq takes wake-ups from Redis, and ends when Redis goes away. Everything else needs PostgreSQL
    only and follows the worker's own schedule.
    """
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_number, stop.set)
    measurements = Measurements(redis)
    activity = Activity()
    database = database_outage()
    counting = Counting(redis, measurements, activity, database)
    settings = get_settings()
    delivering = Delivering(
        render, measurements, database, allow_insecure=settings.webhook_allow_insecure
    )
    recurring = schedule(counting, delivering, database, settings.audit_hour)
    if settings.event_retention_months is not None:
        retention = Retention(settings.event_retention_months, settings.archive_directory)
        daily = Daily(retention.run)
        recurring.append(Recurring("retention", daily.run, _RETENTION_SECONDS, database))
    status.sweep = recurring[0]
    announced = AnnouncedJobs(redis)
    working = [
        asyncio.create_task(work)
        for work in (
            announced.listen(),
            _take_wakeups(redis, counting, delivering, measurements, database, announced),
            *(each.repeat() for each in recurring),
            measurements.flush_for_ever(),
            activity.say_for_ever(),
        )
    ]
    stopping = asyncio.create_task(stop.wait())
    async with performing_events(redis):
        done, _ = await asyncio.wait((*working, stopping), return_when=asyncio.FIRST_COMPLETED)
        await end_tasks(*working, stopping)
    counting.end()
    await delivering.end()
    activity.say()
    await measurements.flush()
    await redis.aclose()
    for task in done:
        task.result()


def schedule(
    counting: Counting, delivering: Delivering, database: Outage, audit_hour: int | None
) -> list[Recurring]:
    """Makes the tasks that a worker repeats; the first is the sweep."""
    patience = Patience()

    recurring = [
        Recurring("sweep", counting.sweep, _SWEEP_SECONDS, database),
        Recurring("sweep of histories", counting.sweep_histories, _SWEEP_SECONDS, database),
        Recurring("sweep of webhooks", delivering.sweep, _SWEEP_SECONDS, database),
        Recurring("cycle", partial(grant_cycle_credits, patience), _CYCLE_SECONDS, database),
        Recurring("alerts", partial(decide_estimates, patience), _ALERTS_SECONDS, database),
        Recurring("compaction", partial(compact_changes, patience), _COMPACTION_SECONDS, database),
        Recurring("erasing", partial(erase_customers, patience), _ERASING_SECONDS, database),
        Recurring("simulations", Simulating(patience).run, _SIMULATION_SECONDS, database),
        Recurring("expiry", delete_expired, _EXPIRY_SECONDS, database),
        Recurring("months", _make_months, _MONTHS_SECONDS, database),
        Recurring("packing", Daily(pack_months).run, _PACKING_SECONDS, database),
    ]
    if audit_hour is not None:
        audit = NightlyAudit(audit_hour)
        recurring.append(Recurring("audit", audit.run, _AUDIT_SECONDS, database))
    return recurring


async def _make_months() -> None:
    await make_months_ahead()


async def _take_wakeups(
    redis: ArqRedis,
    counting: Counting,
    delivering: Delivering,
    measurements: Measurements,
    database: Outage,
    announced: AnnouncedJobs,
) -> None:
    while True:
        worker = build_worker(redis, counting, delivering, database, announced)
        measurements.watch(worker)
        try:
            await worker.async_run()
        except REDIS_FAILURES:
            # The connection's circuit has logged it.
            await asyncio.sleep(_SECONDS_BETWEEN_TRIES)
        finally:
            await _cancel(worker)


async def _cancel(worker: AnnouncedWorker) -> None:
    """Cancels the worker's tasks; their batches are pending again."""
    running = [*worker.tasks.values(), worker.main_task]
    await end_tasks(*(task for task in running if task is not None))


async def end_tasks(*tasks: asyncio.Task[Any]) -> None:
    """Cancels tasks until they have ended.

    Once is not enough: on Python 3.11 `asyncio.wait_for`, through which redis-py writes, swallows
    a cancellation that arrives just as its task is done.
    """
    left = set(tasks)
    while left:
        for task in left:
            task.cancel()
        _done, left = await asyncio.wait(left, timeout=_SECONDS_BETWEEN_CANCELS)
    for task in tasks:
        if not task.cancelled() and task.exception() is not None:
            _log.debug("ended with an error", reason=repr(task.exception()))
