/** The cache: one copy of every object, by its id, so that one update shows everywhere. */
import { type Cache, cacheExchange, type Entity } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';

/** Types without an id: they live in the object that has them. A test compares with the schema. */
export const EMBEDDED = [
  'AlertTriggerConnection',
  'AlertTriggerEdge',
  'AlertTriggered',
  'AuditEntryConnection',
  'AuditEntryEdge',
  'CreditChange',
  'CreditEntryConnection',
  'CreditEntryEdge',
  'CreditGrantConnection',
  'CreditGrantEdge',
  'CreditGrantUsage',
  'CustomerBalance',
  'CustomerConnection',
  'CustomerEdge',
  'CustomerErasure',
  'CustomerMeterConnection',
  'CustomerMeterEdge',
  'CustomerQuantity',
  'CustomerSeries',
  'CustomerSubscriptionConnection',
  'CustomerSubscriptionEdge',
  'DimensionRate',
  'DimensionValue',
  'EventConnection',
  'EventEdge',
  'EventName',
  'EventUpdate',
  'InvoiceConnection',
  'InvoiceEdge',
  'InvoiceLine',
  'LineExplanation',
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
  'PriceExample',
  'PriceSimulationConnection',
  'PriceSimulationEdge',
  'PriceTier',
  'PricingStep',
  'ProductConnection',
  'ProductEdge',
  'QuantityGroup',
  'Revenue',
  'RevenuePoint',
  'SimulatedBenefit',
  'SimulatedCustomer',
  'SimulatedCustomerConnection',
  'SimulatedCustomerEdge',
  'SubscriptionChange',
  'SubscriptionChangePreview',
  'SubscriptionDiscount',
  'UnitConversion',
  'UpcomingInvoice',
  'UsageAlertConnection',
  'UsageAlertEdge',
  'UsageCheck',
  'UsageUpdate',
  'WebhookAttempt',
  'WebhookDeliveryConnection',
  'WebhookDeliveryEdge',
  'WebhookEndpointConnection',
  'WebhookEndpointEdge',
] as const;

/** What abstract types can be, where documents ask. A test compares with the schema. */
export const POSSIBLE_TYPES = {
  MeterFilterNode: ['MeterClause', 'MeterFilter'],
  ProductPrice: ['FixedPrice', 'MeteredPrice'],
  SearchResult: ['Customer', 'Invoice', 'Meter', 'Product'],
};

const pages = () => relayPagination();

/** Asks again for lists of an object: what a mutation made may belong to them. */
function renew(cache: Cache, of: Entity, ...lists: string[]): void {
  for (const { fieldName, fieldKey } of cache.inspectFields(of)) {
    if (lists.includes(fieldName)) {
      cache.invalidate(of, fieldKey);
    }
  }
}

const renewing =
  (...lists: string[]) =>
  (_answer: unknown, _args: unknown, cache: Cache) =>
    renew(cache, 'Query', ...lists);

/** The customer that a mutation's input names by its id. */
function customerOf(args: { input?: { customerId?: string | null } }): Entity {
  return { __typename: 'Customer', id: args.input?.customerId ?? '' };
}

/** A subscription that changes or ends may have got an invoice. */
function renewingInvoices(_answer: unknown, { input }: { input?: { id?: string } }, cache: Cache) {
  const customer = cache.resolve(
    { __typename: 'CustomerSubscription', id: input?.id ?? '' },
    'customer',
  );
  renew(cache, 'Query', 'invoices');
  renew(cache, (customer as Entity | null) ?? null, 'invoices', 'meters');
}

interface Credited {
  customerMeterCredit: { customerMeter?: { id: string } | null };
}

interface Voided {
  creditGrantVoid: { grant?: { customer: { id: string } } | null };
}

export function objectCache() {
  return cacheExchange({
    keys: {
      ...Object.fromEntries(EMBEDDED.map((type) => [type, () => null])),
      // Events pass by the thousand and hardly change: by id, each would stay for ever.
      Event: () => null,
    },
    possibleTypes: POSSIBLE_TYPES,
    resolvers: {
      Query: {
        auditEntries: pages(),
        benefits: pages(),
        customers: pages(),
        events: pages(),
        invoices: pages(),
        meters: pages(),
        priceSimulations: pages(),
        products: pages(),
        subscriptions: pages(),
        usageAlerts: pages(),
        webhookDeliveries: pages(),
        webhookEndpoints: pages(),
      },
      Customer: {
        alertTriggers: pages(),
        events: pages(),
        invoices: pages(),
        meters: pages(),
        subscriptions: pages(),
      },
      CustomerMeter: { creditEntries: pages() },
      CustomerSubscription: { invoices: pages() },
      InvoiceLine: { events: pages() },
      Meter: { customers: pages(), events: pages() },
      UsageAlert: { triggers: pages() },
    },
    updates: {
      Mutation: {
        customerCreate: renewing('customers'),
        eventsVoid: renewing('event', 'events'),
        meterArchive: renewing('meters'),
        meterCreate: renewing('meters'),
        meterCreditBenefitCreate: renewing('benefits'),
        meterUnarchive: renewing('meters'),
        priceSimulationStart: renewing('priceSimulations'),
        productArchive: renewing('products'),
        productCreate: renewing('products'),
        usageAlertCreate: renewing('usageAlerts'),
        usageAlertDelete: renewing('usageAlerts'),
        webhookDeliveryResend: renewing('webhookDeliveries'),
        webhookEndpointCreate: renewing('webhookEndpoints'),
        webhookEndpointDelete: renewing('webhookEndpoints', 'webhookDeliveries'),
        webhookEndpointTest: renewing('webhookDeliveries'),
        customerSubscriptionCreate(_answer, args, cache) {
          renew(cache, 'Query', 'subscriptions', 'invoices');
          renew(cache, customerOf(args), 'subscriptions', 'invoices', 'meters');
        },
        customerSubscriptionCancel: renewingInvoices,
        customerSubscriptionChange: renewingInvoices,
        customerMeterCredit(answer, args, cache) {
          renew(cache, customerOf(args), 'meters');
          const { customerMeter } = (answer as unknown as Credited).customerMeterCredit;
          if (customerMeter) {
            const of = { __typename: 'CustomerMeter', id: customerMeter.id };
            renew(cache, of, 'creditEntries', 'grants');
          }
        },
        creditGrantVoid(answer, _args, cache) {
          const { grant } = (answer as unknown as Voided).creditGrantVoid;
          if (grant) {
            renew(cache, { __typename: 'Customer', id: grant.customer.id }, 'meters');
          }
        },
      },
    },
  });
}
