"""Reading rows: pages by keyset, and dataloaders bound to one organization.

A loader gathers what is asked for in one moment and asks the database once. None remembers: a
WebSocket keeps its loaders for hours, and a mutation must see what it has written.
"""

from functools import cached_property, partial
from typing import Any
from uuid import UUID

from strawberry.dataloader import DataLoader

from metering.counting.progress import Progress
from models import Customer, CustomerMeter, Meter
from schema.loaders.billing import BillingLoaders
from schema.loaders.events import events_by_id, meters_of_events
from schema.loaders.meters import customer_meters_of, progress_by_meter
from schema.loaders.rows import Place, Record
from schema.loaders.sources import PageKey, SQLSource, count_rows, read_pages
from schema.loaders.tables import rows_by_id
from schema.loaders.usage import Series, SeriesKey, read_series
from schema.loaders.wanted import WantedLoader


class Loaders:
    """The loaders of one request, all bound to `organization_id`, whose scans have a `place`."""

    def __init__(self, organization_id: UUID, place: Place) -> None:
        self.organization_id = organization_id
        self._place = place

    @cached_property
    def billing(self) -> BillingLoaders:
        """Those of products, subscriptions, credits and invoices."""
        return BillingLoaders(self.organization_id)

    @cached_property
    def pages(self) -> DataLoader[PageKey, Any]:
        """Rows of lists; see `schema.loaders.sources`."""
        return WantedLoader(partial(read_pages, self._place))

    @cached_property
    def counts(self) -> DataLoader[SQLSource[Any], int]:
        """How many rows lists have."""
        return WantedLoader(partial(count_rows, self._place))

    @cached_property
    def customer(self) -> DataLoader[UUID, Customer | None]:
        """Customers by id."""
        return DataLoader(partial(rows_by_id, Customer, self.organization_id), cache=False)

    @cached_property
    def meter(self) -> DataLoader[UUID, Meter | None]:
        """Meters by id."""
        return DataLoader(partial(rows_by_id, Meter, self.organization_id), cache=False)

    @cached_property
    def event(self) -> DataLoader[UUID, Record | None]:
        """Events by id."""
        return DataLoader(partial(events_by_id, self.organization_id), cache=False)

    @cached_property
    def customer_meter(self) -> DataLoader[UUID, CustomerMeter | None]:
        """Customer meters by id."""
        return DataLoader(partial(rows_by_id, CustomerMeter, self.organization_id), cache=False)

    @cached_property
    def customer_meter_of(self) -> DataLoader[tuple[UUID, UUID], CustomerMeter | None]:
        """Customer meters by (customer, meter)."""
        return DataLoader(partial(customer_meters_of, self.organization_id), cache=False)

    @cached_property
    def meters_of_event(self) -> DataLoader[UUID, list[Meter]]:
        """The meters that count an event."""
        return DataLoader(partial(meters_of_events, self.organization_id), cache=False)

    @cached_property
    def progress(self) -> DataLoader[Meter, Progress]:
        """How far meters have counted."""
        return DataLoader(partial(progress_by_meter, self.organization_id), cache=False)

    @cached_property
    def series(self) -> DataLoader[SeriesKey, Series]:
        """Usage of meters over time."""
        return DataLoader(read_series, cache=False)
