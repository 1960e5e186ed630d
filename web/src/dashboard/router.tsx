/** The dashboard's addresses. Range and zone go along from page to page. */
import {
  createRootRoute,
  createRoute,
  createRouter,
  lazyRouteComponent,
  retainSearchParams,
} from '@tanstack/react-router';
import { SettingsPage } from '../features/access/SettingsPage';
import { CustomerPage } from '../features/customers/CustomerPage';
import { CustomersPage } from '../features/customers/CustomersPage';
import { EventPage } from '../features/events/EventPage';
import { EventsPage } from '../features/events/EventsPage';
import { InvoicePage } from '../features/invoices/InvoicePage';
import { InvoicesPage } from '../features/invoices/InvoicesPage';
import { MeterPage } from '../features/meters/MeterPage';
import { MetersPage } from '../features/meters/MetersPage';
import { OverviewPage } from '../features/overview/OverviewPage';
import { ProductPage } from '../features/products/ProductPage';
import { ProductsPage } from '../features/products/ProductsPage';
import { SubscriptionPage } from '../features/subscriptions/SubscriptionPage';
import { SubscriptionsPage } from '../features/subscriptions/SubscriptionsPage';
import { readGroupingSearch } from '../features/viewing/grouping';
import { readViewSearch } from '../features/viewing/view';
import { Shell } from './Shell';
import { NotFound, Trouble } from './Trouble';

const root = createRootRoute({
  validateSearch: readViewSearch,
  search: { middlewares: [retainSearchParams(['range', 'zone'])] },
  component: Shell,
  notFoundComponent: NotFound,
});

/** Texts in the address; anything else in their place is left out. */
function text<Name extends string>(...names: Name[]) {
  return (search: Record<string, unknown>): { [name in Name]?: string | undefined } =>
    Object.fromEntries(
      names.flatMap((name) => (typeof search[name] === 'string' ? [[name, search[name]]] : [])),
    ) as {
      [name in Name]?: string | undefined;
    };
}

const parent = () => root;

const routes = [
  createRoute({ getParentRoute: parent, path: '/', component: OverviewPage }),
  createRoute({
    getParentRoute: parent,
    path: '/meters',
    component: MetersPage,
    validateSearch: text('q'),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/meters/new',
    component: lazyRouteComponent(() => import('../features/meters/MeterNewPage'), 'MeterNewPage'),
    validateSearch: text('from'),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/meters/$id',
    component: MeterPage,
    validateSearch: (search) => ({ ...text('customer')(search), ...readGroupingSearch(search) }),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/meters/$id/edit',
    component: lazyRouteComponent(
      () => import('../features/meters/MeterEditPage'),
      'MeterEditPage',
    ),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/events',
    component: EventsPage,
    validateSearch: text('name', 'customer', 'from', 'to', 'voided'),
  }),
  createRoute({ getParentRoute: parent, path: '/events/$id', component: EventPage }),
  createRoute({
    getParentRoute: parent,
    path: '/customers',
    component: CustomersPage,
    validateSearch: text('q', 'order'),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/customers/$id',
    component: CustomerPage,
    validateSearch: (search) => ({ ...text('part')(search), ...readGroupingSearch(search) }),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/products',
    component: ProductsPage,
    validateSearch: text('q'),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/products/new',
    component: lazyRouteComponent(
      () => import('../features/products/ProductNewPage'),
      'ProductNewPage',
    ),
    validateSearch: text('simulation'),
  }),
  createRoute({ getParentRoute: parent, path: '/products/$id', component: ProductPage }),
  createRoute({
    getParentRoute: parent,
    path: '/products/$id/edit',
    component: lazyRouteComponent(
      () => import('../features/products/ProductEditPage'),
      'ProductEditPage',
    ),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/products/$id/simulate',
    component: lazyRouteComponent(
      () => import('../features/simulations/SimulatePage'),
      'SimulatePage',
    ),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/simulations/$id',
    component: lazyRouteComponent(
      () => import('../features/simulations/SimulationPage'),
      'SimulationPage',
    ),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/subscriptions',
    component: SubscriptionsPage,
    validateSearch: text('status', 'customer', 'product'),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/subscriptions/new',
    component: lazyRouteComponent(
      () => import('../features/subscriptions/SubscriptionNewPage'),
      'SubscriptionNewPage',
    ),
    validateSearch: text('customer', 'product'),
  }),
  createRoute({ getParentRoute: parent, path: '/subscriptions/$id', component: SubscriptionPage }),
  createRoute({
    getParentRoute: parent,
    path: '/invoices',
    component: InvoicesPage,
    validateSearch: text('customer', 'status', 'from', 'to', 'order'),
  }),
  createRoute({ getParentRoute: parent, path: '/invoices/$id', component: InvoicePage }),
  createRoute({
    getParentRoute: parent,
    path: '/alerts',
    component: lazyRouteComponent(() => import('../features/alerts/AlertsPage'), 'AlertsPage'),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/alerts/$id',
    component: lazyRouteComponent(() => import('../features/alerts/AlertPage'), 'AlertPage'),
  }),
  createRoute({ getParentRoute: parent, path: '/settings', component: SettingsPage }),
  createRoute({
    getParentRoute: parent,
    path: '/settings/webhooks',
    component: lazyRouteComponent(
      () => import('../features/webhooks/WebhooksPage'),
      'WebhooksPage',
    ),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/settings/webhooks/$id',
    component: lazyRouteComponent(
      () => import('../features/webhooks/EndpointPage'),
      'EndpointPage',
    ),
    validateSearch: text('status'),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/settings/webhooks/deliveries/$id',
    component: lazyRouteComponent(
      () => import('../features/webhooks/DeliveryPage'),
      'DeliveryPage',
    ),
  }),
  createRoute({
    getParentRoute: parent,
    path: '/settings/audit-log',
    component: lazyRouteComponent(() => import('../features/audit/AuditLogPage'), 'AuditLogPage'),
  }),
];

export const router = createRouter({
  routeTree: root.addChildren(routes),
  defaultErrorComponent: Trouble,
  scrollRestoration: true,
});

declare module '@tanstack/react-router' {
  interface Register {
    router: typeof router;
  }
}
