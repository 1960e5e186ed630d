import { Link } from '@tanstack/react-router';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { Badge } from '../../ui/Badge';
import { Time } from '../../ui/Figures';
import type { Column } from '../../ui/Table';

export const EndpointCells_endpoint = graphql(`
  fragment EndpointCells_endpoint on WebhookEndpoint {
    id
    url
    description
    eventTypes
    createdAt
    disabledAt
    failingSince
  }
`);

type Endpoint = FragmentType<typeof EndpointCells_endpoint>;
export type EndpointRow = { id: string } & Endpoint;

export const ENDPOINTS: readonly Column<EndpointRow>[] = [
  {
    title: 'Endpoint',
    isName: true,
    cell: (row) => {
      const { id, url } = readFragment(EndpointCells_endpoint, row);
      return (
        <Link to="/settings/webhooks/$id" params={{ id }}>
          <bdi>{url}</bdi>
        </Link>
      );
    },
  },
  {
    title: 'Description',
    isMinor: true,
    cell: (row) => <bdi>{readFragment(EndpointCells_endpoint, row).description ?? '–'}</bdi>,
  },
  {
    title: 'Events',
    cell: (row) => {
      const { eventTypes } = readFragment(EndpointCells_endpoint, row);
      return eventTypes.length === 0 ? 'All' : eventTypes.join(', ');
    },
  },
  { title: 'Status', nowrap: true, cell: (row) => <EndpointStatus endpoint={row} /> },
  {
    title: 'Created',
    isMinor: true,
    nowrap: true,
    cell: (row) => <Time at={readFragment(EndpointCells_endpoint, row).createdAt} />,
  },
];

export function EndpointStatus({ endpoint }: { endpoint: Endpoint }) {
  const { disabledAt, failingSince } = readFragment(EndpointCells_endpoint, endpoint);
  if (disabledAt) {
    return <Badge>Disabled</Badge>;
  }
  if (failingSince) {
    return <Badge tone="bad">Failing</Badge>;
  }
  return <Badge tone="good">Enabled</Badge>;
}
