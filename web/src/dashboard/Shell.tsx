import { Link, Outlet, useLocation, useSearch } from '@tanstack/react-router';
import { use, useEffect, useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../api/generated';
import { useLiveStatus } from '../api/status';
import { usePermission } from '../features/access/permissions';
import { Palette, type PalettePage } from '../features/search/Palette';
import { EventsFromContext } from '../features/viewing/eventsFrom';
import { readViewSearch } from '../features/viewing/view';
import { Button } from '../ui/Button';
import { Icon } from '../ui/Icon';
import { Skeleton } from '../ui/Skeleton';
import { ZoneContext } from '../ui/zone';
import { Logo } from './Logo';
import styles from './Shell.module.css';
import { SignOutContext } from './signOut';

const PAGES = [
  { name: 'Overview', to: '/', icon: 'overview' },
  { name: 'Meters', to: '/meters', icon: 'meters' },
  { name: 'Events', to: '/events', icon: 'events' },
  { name: 'Customers', to: '/customers', icon: 'customers' },
  { name: 'Products', to: '/products', icon: 'products' },
  { name: 'Subscriptions', to: '/subscriptions', icon: 'subscriptions' },
  { name: 'Invoices', to: '/invoices', icon: 'invoices' },
  { name: 'Alerts', to: '/alerts', icon: 'alerts' },
  { name: 'Settings', to: '/settings', icon: 'settings' },
] as const satisfies readonly PalettePage[];

/** Pages that need the scope BILLING_READ. */
const BILLING: readonly string[] = ['/products', '/subscriptions', '/invoices'];

const ShellDocument = graphql(`
  query Shell {
    me {
      organization {
        id
        displayName
        timezone
        eventsFrom
      }
    }
  }
`);

export function Shell() {
  const [{ data, error }] = useQuery({ query: ShellDocument });
  const organization = data?.me.organization;
  const { zone = organization?.timezone } = readViewSearch(
    useSearch({ strict: false }) as Record<string, unknown>,
  );
  const { pathname } = useLocation();
  const hidesBilling = usePermission('BILLING_READ') === 'no';
  const pages = PAGES.filter(({ to }) => !(hidesBilling && BILLING.includes(to)));
  const [openAt, setOpenAt] = useState<string | null>(null);
  const [isFinding, setFinding] = useState(false);
  // The menu closes when one has gone somewhere.
  const isOpen = openAt === pathname;

  useEffect(() => {
    function onKeyDown(event: KeyboardEvent) {
      if (event.key === 'k' && (event.ctrlKey || event.metaKey)) {
        event.preventDefault();
        setFinding(true);
      }
    }
    window.addEventListener('keydown', onKeyDown);
    return () => window.removeEventListener('keydown', onKeyDown);
  }, []);

  useEffect(() => {
    const [, first = ''] = pathname.split('/');
    const page = PAGES.find(({ to }) => to === `/${first}`);
    document.title = `${page?.name ?? 'Not found'} · Metergraph`;
  }, [pathname]);

  return (
    <ZoneContext value={zone ?? 'UTC'}>
      <a className={styles.skip} href="#main">
        Skip to the page
      </a>
      <div className={styles.shell}>
        <header className={styles.bar}>
          <Logo />
          <div>
            <Button look="quiet" iconOnly aria-label="Search" onClick={() => setFinding(true)}>
              <Icon name="search" />
            </Button>
            <Button
              look="quiet"
              iconOnly
              aria-label="Menu"
              aria-expanded={isOpen}
              onClick={() => setOpenAt(isOpen ? null : pathname)}
            >
              <Icon name={isOpen ? 'close' : 'menu'} />
            </Button>
          </div>
        </header>
        <nav className={styles.side} data-open={isOpen} aria-label="Pages">
          <div className={styles.brand}>
            <Logo />
          </div>
          <button type="button" className={styles.find} onClick={() => setFinding(true)}>
            <Icon name="search" size={14} /> Search <kbd>{SHORTCUT}</kbd>
          </button>
          <div className={styles.nav}>
            {pages.map(({ name, to, icon }) => (
              <Link key={to} to={to} activeOptions={{ exact: to === '/', includeSearch: false }}>
                <Icon name={icon} />
                {name}
              </Link>
            ))}
          </div>
          <Account name={organization?.displayName ?? ''} />
        </nav>
        <main className={styles.main} id="main" tabIndex={-1}>
          <div className={styles.inner}>
            {/* Questions are about days of a zone, and what is stored: they wait for both. */}
            {organization || error ? (
              <EventsFromContext value={organization?.eventsFrom ?? null}>
                <Outlet />
              </EventsFromContext>
            ) : (
              <Skeleton height="60vh" />
            )}
          </div>
        </main>
      </div>
      <ConnectionLine />
      {isFinding && <Palette pages={pages} onClose={() => setFinding(false)} />}
    </ZoneContext>
  );
}

const SHORTCUT = /Mac|iPhone|iPad/.test(navigator.userAgent) ? '⌘K' : 'Ctrl K';

function Account({ name }: { name: string }) {
  const signOut = use(SignOutContext);
  return (
    <div className={styles.foot}>
      <bdi>{name}</bdi>
      <Button look="quiet" small onClick={signOut}>
        Sign out
      </Button>
    </div>
  );
}

/** Short breaks go by unnoticed. */
const QUIET = 1500;

function ConnectionLine() {
  const isLost = useLiveStatus() === 'lost';
  const [isShown, setShown] = useState(false);
  useEffect(() => {
    const timer = setTimeout(setShown, isLost ? QUIET : 0, isLost);
    return () => clearTimeout(timer);
  }, [isLost]);
  return (
    <div role="status">
      {isShown && <p className={styles.line}>Live updates are interrupted. Reconnecting…</p>}
    </div>
  );
}
