/** A customer with a meter, a product, a subscription and its first invoice, made by the API. */
import { randomBytes } from 'node:crypto';
import { expect } from '@playwright/test';
import type { Api } from './api';

export interface Account {
  /** The name of the events that the meter counts. */
  event: string;
  meter: { id: string; name: string };
  customer: { id: string; name: string; externalId: string };
  product: { id: string; name: string };
  subscription: { id: string };
  invoice: { id: string; number: string; total: number };
}

/** Has the form of an account, for what must be listed before there is one. */
export const EXAMPLE_ACCOUNT: Account = {
  event: 'event',
  meter: { id: 'meter', name: 'Meter' },
  customer: { id: 'customer', name: 'Customer', externalId: 'customer' },
  product: { id: 'product', name: 'Product' },
  subscription: { id: 'subscription' },
  invoice: { id: 'invoice', number: '1', total: 0 },
};

export async function makeAccount(api: Api): Promise<Account> {
  const mark = randomBytes(4).toString('hex');
  const event = `units_${mark}`;
  const { meterCreate } = await api.ask(
    `mutation Meter($name: String!, $event: ClauseValue!) {
      meterCreate(input: {
        name: $name, unit: "unit", aggregation: { function: SUM, property: "units" }
        filter: { clauses: [{ clause: { property: "name", operator: EQUALS, value: $event } }] }
      }) { meter { id name } userErrors { message path } }
    }`,
    { name: `Units ${mark}`, event },
  );
  const { meter } = meterCreate;
  const { meterCreditBenefitCreate } = await api.ask(
    `mutation Benefit($meter: ID!) {
      meterCreditBenefitCreate(
        input: { description: "1,000 units a month", meterId: $meter, units: "1000" }
      ) { benefit { id } userErrors { message path } }
    }`,
    { meter: meter.id },
  );
  const { productCreate } = await api.ask(
    `mutation Product($name: String!, $meter: ID!, $benefit: ID!) {
      productCreate(input: {
        name: $name, recurringInterval: MONTH, benefitIds: [$benefit]
        prices: [
          { fixed: { currency: "USD", amount: 123456 } }
          { metered: { currency: "USD", meterId: $meter, pricing: PER_UNIT, unitAmount: "2" } }
        ]
      }) { product { id name } userErrors { message path } }
    }`,
    {
      name: `Plan ${mark}`,
      meter: meter.id,
      benefit: meterCreditBenefitCreate.benefit.id,
    },
  );
  const externalId = `customer-${mark}`;
  const { customerCreate } = await api.ask(
    `mutation Customer($id: String!, $name: String!) {
      customerCreate(input: { externalId: $id, name: $name, email: "billing@example.com" }) {
        customer { id name externalId } userErrors { message path }
      }
    }`,
    { id: externalId, name: `Customer ${mark}` },
  );
  const { customer } = customerCreate;
  const { product } = productCreate;
  const { customerSubscriptionCreate } = await api.ask(
    `mutation Subscribe($customer: ID!, $product: ID!) {
      customerSubscriptionCreate(input: { customerId: $customer, productId: $product }) {
        subscription { id customer { invoices(first: 1) { nodes { id number total } } } }
        userErrors { message path }
      }
    }`,
    { customer: customer.id, product: product.id },
  );
  const { subscription } = customerSubscriptionCreate;
  const [invoice] = subscription.customer.invoices.nodes;
  return { event, meter, customer, product, subscription: { id: subscription.id }, invoice };
}

/** Ends an account's subscription immediately, and returns the invoice of its usage. */
export async function endSubscription(
  api: Api,
  { subscription }: Account,
): Promise<{ id: string; status: string }> {
  await api.ask(
    `mutation End($id: ID!) {
      customerSubscriptionCancel(input: { id: $id, when: NOW }) { userErrors { message path } }
    }`,
    { id: subscription.id },
  );
  const invoices = async () => {
    const answer = await api.ask(
      `query Invoices($id: ID!) {
        subscription(id: $id) { invoices(first: 2) { nodes { id status } } }
      }`,
      { id: subscription.id },
    );
    return answer.subscription.invoices.nodes;
  };
  // A worker makes it a moment later if events are waiting to be counted.
  await expect.poll(async () => (await invoices()).length).toBe(2);
  return (await invoices())[1];
}

/** A link to the portal of a customer. */
export async function portalLink(
  api: Api,
  account: Pick<Account, 'customer'>,
  minutes = 60,
): Promise<string> {
  const { customerSessionCreate } = await api.ask(
    `mutation Link($customer: ID!, $minutes: Int!) {
      customerSessionCreate(input: { customerId: $customer, minutes: $minutes }) {
        portalUrl userErrors { message path }
      }
    }`,
    { customer: account.customer.id, minutes },
  );
  return customerSessionCreate.portalUrl;
}

/** What the API says that a customer has used of its meter. */
export async function consumedUnits(api: Api, { customer }: Account): Promise<string> {
  const answer = await api.ask(
    'query Used($id: ID!) { customer(id: $id) { meters(first: 1) { nodes { consumedUnits } } } }',
    { id: customer.id },
  );
  return answer.customer.meters.nodes[0].consumedUnits;
}
