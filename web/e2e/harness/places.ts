/** The pages of the dashboard, and what opens its dialogs. */
import type { Page } from '@playwright/test';
import type { Account } from './data';

export interface Place {
  path: string;
  heading: string | RegExp;
}

export function dashboardPages(account: Account): Place[] {
  const { meter, customer, product, subscription, invoice } = account;
  const parts = ['credits', 'subscriptions', 'invoices', 'events'];
  return [
    { path: '/', heading: 'Overview' },
    { path: '/meters', heading: 'Meters' },
    { path: '/meters/new', heading: 'New meter' },
    { path: `/meters/${meter.id}`, heading: meter.name },
    { path: `/meters/${meter.id}/edit`, heading: /./ },
    { path: '/events', heading: 'Events' },
    { path: '/customers', heading: 'Customers' },
    { path: `/customers/${customer.id}`, heading: customer.name },
    ...parts.map((part) => ({
      path: `/customers/${customer.id}?part=${part}`,
      heading: customer.name,
    })),
    { path: '/products', heading: 'Products' },
    { path: '/products/new', heading: 'New product' },
    { path: `/products/${product.id}`, heading: product.name },
    { path: `/products/${product.id}/edit`, heading: /./ },
    { path: '/subscriptions', heading: 'Subscriptions' },
    { path: '/subscriptions/new', heading: 'New subscription' },
    { path: `/subscriptions/${subscription.id}`, heading: /./ },
    { path: '/invoices', heading: 'Invoices' },
    { path: `/invoices/${invoice.id}`, heading: `Invoice ${invoice.number}` },
    { path: '/settings', heading: 'Settings' },
    { path: '/settings/webhooks', heading: 'Webhooks' },
    { path: '/nothing/there', heading: /./ },
  ];
}

export interface DialogPlace {
  path: string;
  open(page: Page): Promise<void>;
}

export function dialogs({ customer, meter, subscription }: Account): DialogPlace[] {
  const byButton = (name: string) => async (page: Page) => {
    await page.getByRole('main').getByRole('button', { name, exact: true }).first().click();
  };
  return [
    { path: '/', open: (page) => page.keyboard.press('Control+k') },
    {
      path: `/meters/${meter.id}`,
      open: async (page) => {
        await page.getByLabel('Range').selectOption('custom');
      },
    },
    { path: '/events', open: byButton('Send test event') },
    { path: '/customers', open: byButton('New customer') },
    { path: '/settings/webhooks', open: byButton('New endpoint') },
    ...['Credit units', 'Portal link', 'Edit', 'End sessions'].map((name) => ({
      path: `/customers/${customer.id}`,
      open: byButton(name),
    })),
    { path: `/subscriptions/${subscription.id}`, open: byButton('Cancel') },
    { path: '/products/new', open: byButton('New benefit') },
    { path: '/settings', open: byButton('New token') },
  ];
}
