import type { Page } from '@playwright/test';
import type { Api } from './api';

/** What one needs on a subscription's page: its dialog, its content and its buttons. */
export function subscriptionTools(page: Page) {
  const main = page.getByRole('main');
  return {
    dialog: page.getByRole('dialog'),
    main,
    press: (name: string) => main.getByRole('button', { name, exact: true }).click(),
  };
}

/** Makes a monthly product with a fixed price, in the currency's minor units, and returns its id. */
export async function monthlyProduct(
  api: Api,
  name: string,
  amount: number,
  currency = 'USD',
): Promise<string> {
  const { productCreate } = await api.ask(
    `mutation Product($name: String!, $amount: BigInt!, $currency: CurrencyCode!) {
      productCreate(input: {
        name: $name, recurringInterval: MONTH, prices: [{ fixed: { currency: $currency, amount: $amount } }]
      }) { product { id } userErrors { message path } }
    }`,
    { name, amount, currency },
  );
  return productCreate.product.id;
}
