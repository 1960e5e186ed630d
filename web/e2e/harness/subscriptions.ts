import type { Page } from '@playwright/test';

/** What one needs on a subscription's page: its dialog, its content and its buttons. */
export function subscriptionTools(page: Page) {
  const main = page.getByRole('main');
  return {
    dialog: page.getByRole('dialog'),
    main,
    press: (name: string) => main.getByRole('button', { name, exact: true }).click(),
  };
}
