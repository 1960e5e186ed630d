import { Link } from '@tanstack/react-router';
import { lazy, Suspense } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { SettingsQuery } from '../../api/generated/graphql';
import { serverUrl } from '../../api/page';
import { problemOf } from '../../api/problems';
import { Badge } from '../../ui/Badge';
import { Id } from '../../ui/Code';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { RelativeTime, Time } from '../../ui/Figures';
import { Card, KeyValue, KeyValues, PageHead, Stack } from '../../ui/Surface';
import { type Column, Table } from '../../ui/Table';
import { useNow } from '../../ui/useNow';
import { ZoneSelect } from '../viewing/ViewTools';
import { useView } from '../viewing/view';
import { IfAllowed } from './permissions';
import { NewToken, RevokeToken } from './TokenTools';

const Settings = graphql(`
  query Settings {
    me {
      accessToken {
        id
      }
    }
    organization {
      id
      name
      slug
      ...OrganizationForm_organization
      accessTokens {
        id
        name
        scopes
        createdAt
        lastUsedAt
        revokedAt
        expiresAt
      }
    }
  }
`);

type Token = SettingsQuery['organization']['accessTokens'][number];

const OrganizationForm = lazy(async () => ({
  default: (await import('./OrganizationForm')).OrganizationForm,
}));

const TOKENS: Column<Token>[] = [
  { title: 'Token', isName: true, cell: ({ name }) => <bdi>{name}</bdi> },
  { title: 'Scopes', cell: ({ scopes }) => scopes.join(', ') },
  { title: 'Status', nowrap: true, cell: (token) => <TokenStatus token={token} /> },
  {
    title: 'Last used',
    isMinor: true,
    nowrap: true,
    cell: ({ lastUsedAt }) => (lastUsedAt ? <RelativeTime at={lastUsedAt} /> : 'Never'),
  },
  {
    title: 'Created',
    isMinor: true,
    nowrap: true,
    cell: ({ createdAt }) => <Time at={createdAt} />,
  },
];

function tokenColumns(own: string | undefined): Column<Token>[] {
  return [
    ...TOKENS,
    {
      title: 'Action',
      nowrap: true,
      cell: (token) => !token.revokedAt && <RevokeToken token={token} isOwn={token.id === own} />,
    },
  ];
}

function TokenStatus({ token: { revokedAt, expiresAt } }: { token: Token }) {
  const now = useNow();
  if (revokedAt) {
    return <Badge>Revoked</Badge>;
  }
  if (expiresAt && Date.parse(expiresAt) <= now) {
    return <Badge>Expired</Badge>;
  }
  return <Badge tone="good">Active</Badge>;
}

export function SettingsPage() {
  const [{ data, error, fetching }, again] = useQuery({ query: Settings });
  const { zone, setZone } = useView();
  const organization = data?.organization;
  return (
    <Stack>
      <PageHead title="Settings" />
      {error && (
        <ErrorPanel
          problem={problemOf(error)}
          onRetry={() => again({ requestPolicy: 'network-only' })}
        />
      )}
      {organization && (
        <Suspense>
          <OrganizationForm organization={organization} />
        </Suspense>
      )}
      {!error && (
        <Card
          title="Access tokens"
          flush
          tools={
            organization && <NewToken onCreated={() => again({ requestPolicy: 'network-only' })} />
          }
        >
          <Table
            label="Access tokens"
            columns={tokenColumns(data?.me.accessToken?.id)}
            rows={organization?.accessTokens ?? []}
            keyOf={({ id }) => id}
            loading={fetching && organization === undefined}
          />
        </Card>
      )}
      <Card title="Webhooks">
        <p>
          Signed requests tell your systems what happens here.{' '}
          <Link to="/settings/webhooks">See the webhook endpoints</Link>.
        </p>
      </Card>
      <IfAllowed scope="AUDIT_READ">
        <Card title="Audit log">
          <p>
            Every change, and who made it. <Link to="/settings/audit-log">Open the audit log</Link>.
          </p>
        </Card>
      </IfAllowed>
      <Card title="API">
        <p>
          These pages use only the public GraphQL API.{' '}
          <a href={serverUrl('graphql').href}>Open GraphiQL</a> to try it.
        </p>
      </Card>
      <Card title="Your view">
        <Stack>
          <p>
            The time zone in which you see dates and times. Links that you share keep it. The
            organization’s own time zone stays as it is.
          </p>
          <div>
            <ZoneSelect zone={zone} onChange={setZone} />
          </div>
        </Stack>
      </Card>
      {organization && (
        <Card title="Details">
          <KeyValues>
            <KeyValue name="Name">
              <bdi>{organization.name}</bdi>
            </KeyValue>
            <KeyValue name="Short name">
              <code>{organization.slug}</code>
            </KeyValue>
            <KeyValue name="ID">
              <Id value={organization.id} label="organization ID" />
            </KeyValue>
          </KeyValues>
        </Card>
      )}
    </Stack>
  );
}
