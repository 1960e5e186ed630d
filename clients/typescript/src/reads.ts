/** What applications ask before and after a request: documents, and the shapes of their answers. */

/** Names a customer by one of its two ids. */
export type CustomerId = { externalCustomerId: string } | { customerId: string };

/** Whether a customer may use more units on a meter. */
export interface UsageCheck {
  /** Whether credit of so many units remains, or hasMeteredPrice. */
  allowed: boolean;
  /** The remaining credit, an exact decimal; negative if more was used. */
  balance: string;
  /** Whether an active subscription charges for usage beyond the credit. */
  hasMeteredPrice: boolean;
}

/** A customer's usage and credit on a meter in the current period. Decimals are exact strings. */
export interface CustomerMeter {
  meter: { id: string; name: string; unit: string | null };
  periodStart: string | null;
  periodEnd: string | null;
  consumedUnits: string;
  creditedUnits: string;
  balance: string;
  /** Events stored before this instant are included. */
  completeThrough: string;
}

const FIELDS =
  'meter { id name unit } periodStart periodEnd consumedUnits creditedUnits balance completeThrough';

export const USAGE_CHECK = `query UsageCheck(
  $meterId: ID!, $customerId: ID, $externalCustomerId: String, $units: Decimal!
) {
  usageCheck(
    meterId: $meterId, customerId: $customerId, externalCustomerId: $externalCustomerId
    units: $units
  ) { allowed balance hasMeteredPrice }
}`;

export const CUSTOMER_METERS = `query CustomerMeters(
  $customerId: ID, $externalCustomerId: String, $after: String
) {
  customer(id: $customerId, externalId: $externalCustomerId) {
    meters(first: 100, after: $after) {
      nodes { ${FIELDS} }
      pageInfo { hasNextPage endCursor }
    }
  }
}`;

export const CUSTOMER_METER = `query CustomerMeter(
  $customerId: ID, $externalCustomerId: String, $meterId: ID!
) {
  customer(id: $customerId, externalId: $externalCustomerId) { meter(id: $meterId) { ${FIELDS} } }
}`;

export interface MeterPage {
  customer: {
    meters: { nodes: CustomerMeter[]; pageInfo: { hasNextPage: boolean; endCursor: string } };
  } | null;
}
