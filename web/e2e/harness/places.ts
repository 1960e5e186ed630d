/** The pages of the dashboard, and what opens its dialogs. */
import type { Page } from '@playwright/test';
import type { Everything } from './everything';

export interface Place {
  path: string;
  heading: string | RegExp;
}

export function dashboardPages(everything: Everything): Place[] {
  const { meter, customer, product, subscription, invoice, draft } = everything;
  const { archived, grouped, sent, simulation, alert, endpoint, delivery } = everything;
  const parts = ['credits', 'subscriptions', 'invoices', 'events', 'alerts'];
  return [
    { path: '/', heading: 'Overview' },
    { path: '/meters', heading: 'Meters' },
    { path: '/meters/new', heading: 'New meter' },
    { path: `/meters/${meter.id}`, heading: meter.name },
    { path: `/meters/${meter.id}/edit`, heading: 'Edit meter' },
    { path: `/meters/${archived.id}`, heading: archived.name },
    { path: `/meters/${grouped.id}?by=["model"]`, heading: grouped.name },
    { path: `/meters/${grouped.id}/edit`, heading: 'Edit meter' },
    {
      path: `/customers/${customer.id}?by=["model","kind"]`,
      heading: customer.name,
    },
    { path: '/events', heading: 'Events' },
    { path: `/events/${sent.id}`, heading: everything.event },
    { path: '/customers', heading: 'Customers' },
    { path: `/customers/${customer.id}`, heading: customer.name },
    ...parts.map((part) => ({
      path: `/customers/${customer.id}?part=${part}`,
      heading: customer.name,
    })),
    { path: '/products', heading: 'Products' },
    { path: '/products/new', heading: 'New product' },
    { path: `/products/${product.id}`, heading: product.name },
    { path: `/products/${product.id}/edit`, heading: 'Edit product' },
    { path: `/products/${product.id}/simulate`, heading: 'Simulate prices' },
    { path: `/simulations/${simulation.id}`, heading: simulation.name },
    { path: '/subscriptions', heading: 'Subscriptions' },
    { path: '/subscriptions/new', heading: 'New subscription' },
    { path: `/subscriptions/${subscription.id}`, heading: product.name },
    { path: '/invoices', heading: 'Invoices' },
    { path: `/invoices/${invoice.id}`, heading: `Invoice ${invoice.number}` },
    { path: `/invoices/${draft.id}`, heading: 'Draft invoice' },
    { path: '/alerts', heading: 'Alerts' },
    { path: `/alerts/${alert.id}`, heading: alert.name },
    { path: '/settings', heading: 'Settings' },
    { path: '/settings/audit-log', heading: 'Audit log' },
    { path: '/settings/webhooks', heading: 'Webhooks' },
    { path: `/settings/webhooks/${endpoint.id}`, heading: endpoint.url },
    { path: `/settings/webhooks/deliveries/${delivery.id}`, heading: 'webhook.test' },
    { path: '/nothing/there', heading: 'There is no such page' },
  ];
}

type Opening = (page: Page) => Promise<void>;

export interface DialogPlace {
  path: string;
  open: Opening;
}

/** What the button says that opens each dialog. */
export function dialogs(everything: Everything): DialogPlace[] {
  const { customer, meter, product, subscription, invoice, draft } = everything;
  const { archived, alert, endpoint, delivery, ending, changing, sent } = everything;
  return [
    {
      path: '/',
      open: async (page) => {
        // Before the page is there, nothing hears the keys.
        await page.getByRole('heading', { name: 'Overview' }).waitFor();
        await page.keyboard.press('Control+k');
      },
    },
    {
      path: `/meters/${meter.id}`,
      open: async (page) => {
        await page.getByLabel('Range').selectOption('custom');
      },
    },
    { path: `/meters/${meter.id}`, open: byButtons('Archive') },
    { path: `/meters/${archived.id}`, open: byButtons('Unarchive') },
    { path: `/meters/${meter.id}/edit`, open: leaving },
    { path: '/events', open: byButtons('Send test event') },
    { path: `/events/${sent.id}`, open: byButtons('Void…') },
    { path: '/customers', open: byButtons('New customer') },
    { path: '/customers', open: discarding },
    ...['Credit units', 'Portal link', 'Edit', 'End sessions', 'Erase'].map((name) => ({
      path: `/customers/${customer.id}`,
      open: byButtons(name),
    })),
    { path: `/customers/${customer.id}`, open: byButtons('Portal link', 'Create link') },
    { path: `/customers/${customer.id}`, open: timingCredit },
    { path: `/customers/${customer.id}?part=credits`, open: voidingGrant },
    { path: '/products/new', open: byButtons('New benefit') },
    { path: '/products/new', open: byButtons('Add metered price', 'New meter') },
    { path: `/products/${product.id}`, open: byButtons('Archive') },
    { path: '/subscriptions/new', open: byButtons('New customer') },
    { path: `/subscriptions/${subscription.id}`, open: enteringQuantity },
    { path: `/subscriptions/${subscription.id}`, open: byButtons('Cancel') },
    { path: `/subscriptions/${ending.id}`, open: byButtons('Resume') },
    { path: `/subscriptions/${changing.id}`, open: byButtons('Undo change') },
    ...['Mark as paid', 'Credit note', 'Void'].map((name) => ({
      path: `/invoices/${invoice.id}`,
      open: byButtons(name),
    })),
    { path: `/invoices/${invoice.id}`, open: byButtons('Why this much?') },
    { path: `/invoices/${draft.id}`, open: byButtons('Issue now') },
    { path: '/alerts', open: byButtons('New alert') },
    ...['Edit', 'Disable', 'Delete'].map((name) => ({
      path: `/alerts/${alert.id}`,
      open: byButtons(name),
    })),
    { path: '/settings', open: byButtons('New token') },
    { path: '/settings', open: creatingToken },
    { path: '/settings', open: byButtons('Revoke tests') },
    { path: '/settings/webhooks', open: byButtons('New endpoint') },
    ...['Send test event', 'Edit'].map((name) => ({
      path: `/settings/webhooks/${endpoint.id}`,
      open: byButtons(name),
    })),
    ...['Rotate secret', 'Disable', 'Delete'].map((name) => ({
      path: `/settings/webhooks/${endpoint.id}`,
      open: byMenu(name),
    })),
    { path: `/settings/webhooks/deliveries/${delivery.id}`, open: byButtons('Send again') },
  ];
}

/** Presses buttons of the page or of a dialog, one after the other. */
const byButtons =
  (...names: string[]): Opening =>
  async (page) => {
    for (const name of names) {
      await page.getByRole('button', { name, exact: true }).first().click();
    }
  };

const byMenu =
  (name: string): Opening =>
  async (page) => {
    await page.getByRole('button', { name: 'More actions' }).click();
    await page.getByRole('menuitem', { name, exact: true }).click();
  };

const timingCredit: Opening = async (page) => {
  await byButtons('Credit units')(page);
  await page.getByText('Time and priority').click();
};

const voidingGrant: Opening = async (page) => {
  await page.getByRole('button', { name: 'Void A promotion' }).click();
};

const leaving: Opening = async (page) => {
  await page.getByLabel('Name', { exact: true }).fill('Something else');
  await page.getByRole('link', { name: 'Events', exact: true }).click();
};

const discarding: Opening = async (page) => {
  await byButtons('New customer')(page);
  await page.getByLabel('Name', { exact: true }).fill('Somebody');
  await page.keyboard.press('Escape');
  await page.getByText('Discard what you entered?').waitFor();
};

const enteringQuantity: Opening = async (page) => {
  await byButtons('Change')(page);
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Quantity').fill('3');
  await dialog.getByRole('table').waitFor();
};

const creatingToken: Opening = async (page) => {
  await byButtons('New token')(page);
  await page.getByLabel('Name', { exact: true }).fill('Reader');
  await page.getByLabel('Read usage').check();
  await byButtons('Create token')(page);
  await page.getByText('Reader is created').waitFor();
};
