"""Reads rows: keyset pages, and dataloaders bound to one organization.

A loader collects the keys requested in one pass of the event loop and sends one query. Loaders
cache nothing: a WebSocket keeps them for hours, and a mutation must see its own writes.
"""

from datetime import datetime
from functools import cached_property, partial
from typing import Any, TypeVar
from uuid import UUID

from strawberry.dataloader import DataLoader
from tortoise.models import Model

from metering.counting.progress import Progress, complete_through
from models import CustomerErasure, CustomerMeter, EventVoid, Meter
from schema.loaders.billing import BillingLoaders
from schema.loaders.customers import erasures_of
from schema.loaders.events import events_by_id, meters_of_events, voids_of_events
from schema.loaders.meters import customer_meters_of, progress_by_meter
from schema.loaders.rows import Place, Record
from schema.loaders.sources import PageKey, SQLSource, count_rows, read_pages
from schema.loaders.tables import rows_by_id
from schema.loaders.usage import Series, SeriesKey, read_series
from schema.loaders.wanted import WantedLoader

M = TypeVar("M", bound=Model)


class Loaders:
    """The loaders of one request, bound to `organization_id`; its scans wait for a `place`."""

    def __init__(self, organization_id: UUID, place: Place) -> None:
        self.organization_id = organization_id
        self._place = place
        self._by_id: dict[type[Model], DataLoader[UUID, Any]] = {}

    def by_id(self, model: type[M]) -> DataLoader[UUID, M | None]:
        """The organization's rows of a table, by id."""
        if model not in self._by_id:
            load = partial(rows_by_id, model, self.organization_id)
            self._by_id[model] = DataLoader(load, cache=False)
        return self._by_id[model]

    async def existing(self, model: type[M], key: UUID) -> M:
        """Returns a row that another row refers to, so it must exist."""
        row = await self.by_id(model).load(key)
        if row is None:
            raise LookupError(f"{model.__name__} {key} is referred to but missing")
        return row

    @cached_property
    def billing(self) -> BillingLoaders:
        """The loaders of products, subscriptions, credits and invoices."""
        return BillingLoaders(self.organization_id)

    @cached_property
    def pages(self) -> DataLoader[PageKey, Any]:
        """Pages of lists; see `schema.loaders.sources`."""
        return WantedLoader(partial(read_pages, self._place))

    @cached_property
    def counts(self) -> DataLoader[SQLSource[Any], int]:
        """The numbers of rows of lists."""
        return WantedLoader(partial(count_rows, self._place))

    @cached_property
    def erasure(self) -> DataLoader[UUID, CustomerErasure | None]:
        """How far erasing customers is, by customer."""
        return DataLoader(partial(erasures_of, self.organization_id), cache=False)

    @cached_property
    def event(self) -> DataLoader[UUID, Record | None]:
        """Events by id."""
        return DataLoader(partial(events_by_id, self.organization_id), cache=False)

    @cached_property
    def customer_meter_of(self) -> DataLoader[tuple[UUID, UUID], CustomerMeter | None]:
        """Customer meters by (customer, meter)."""
        return DataLoader(partial(customer_meters_of, self.organization_id), cache=False)

    @cached_property
    def meters_of_event(self) -> DataLoader[UUID, list[Meter]]:
        """The meters that count an event."""
        return DataLoader(partial(meters_of_events, self.organization_id), cache=False)

    @cached_property
    def void_of_event(self) -> DataLoader[UUID, EventVoid | None]:
        """When and why an event was voided."""
        return DataLoader(partial(voids_of_events, self.organization_id), cache=False)

    @cached_property
    def progress(self) -> DataLoader[Meter, Progress]:
        """How far meters have counted."""
        return DataLoader(partial(progress_by_meter, self.organization_id), cache=False)

    @cached_property
    def complete_through(self) -> DataLoader[int, datetime]:
        """The instant through which usage counted up to a position of the log is complete."""
        return DataLoader(partial(complete_through, self.organization_id), cache=False)

    @cached_property
    def series(self) -> DataLoader[SeriesKey, Series]:
        """Usage of meters over time."""
        return DataLoader(read_series, cache=False)
