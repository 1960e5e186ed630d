/** The cache: one copy of every object, by its id, so that one update shows everywhere. */
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';

/** Types without an id: they live in the object that has them. A test compares with the schema. */
export const EMBEDDED = [
  'CreditEntryConnection',
  'CreditEntryEdge',
  'CustomerConnection',
  'CustomerEdge',
  'CustomerMeterConnection',
  'CustomerMeterEdge',
  'CustomerSubscriptionConnection',
  'CustomerSubscriptionEdge',
  'EventConnection',
  'EventEdge',
  'EventName',
  'InvoiceConnection',
  'InvoiceEdge',
  'InvoiceLine',
  'Me',
  'MeterAggregation',
  'MeterClause',
  'MeterConnection',
  'MeterCreditBenefitConnection',
  'MeterCreditBenefitEdge',
  'MeterEdge',
  'MeterFilter',
  'MeterPreview',
  'MeterProgress',
  'MeterQuantities',
  'MeterQuantity',
  'PageInfo',
  'PriceTier',
  'ProductConnection',
  'ProductEdge',
  'UpcomingInvoice',
  'UsageUpdate',
] as const;

/** What abstract types can be, where documents ask. A test compares with the schema. */
export const POSSIBLE_TYPES = {
  MeterFilterNode: ['MeterClause', 'MeterFilter'],
  ProductPrice: ['FixedPrice', 'MeteredPrice'],
};

const pages = () => relayPagination();

export function objectCache() {
  return cacheExchange({
    keys: Object.fromEntries(EMBEDDED.map((type) => [type, () => null])),
    possibleTypes: POSSIBLE_TYPES,
    resolvers: {
      Query: {
        benefits: pages(),
        customers: pages(),
        events: pages(),
        invoices: pages(),
        meters: pages(),
        products: pages(),
        subscriptions: pages(),
      },
      Customer: { events: pages(), invoices: pages(), meters: pages(), subscriptions: pages() },
      CustomerMeter: { creditEntries: pages() },
      CustomerSubscription: { invoices: pages() },
      Meter: { customers: pages(), events: pages() },
    },
  });
}
