import { Link } from '@tanstack/react-router';
import { useState } from 'react';
import { graphql } from '../../api/generated';
import type { MetersQuery } from '../../api/generated/graphql';
import { intervalsOf } from '../../format/ranges';
import { buttonClass } from '../../ui/Button';
import { Sparkline } from '../../ui/chart/Sparkline';
import { Quantity } from '../../ui/Figures';
import { PageHead, Stack } from '../../ui/Surface';
import type { Column } from '../../ui/Table';
import { IfAllowed } from '../access/permissions';
import { useFilters } from '../listing/filters';
import { NamedList } from '../listing/NamedList';
import { useList } from '../listing/useList';
import { ViewTools } from '../viewing/ViewTools';
import { useView } from '../viewing/view';
import { describeAggregation } from './aggregation';
import { MeterState } from './MeterProgress';

const Meters = graphql(`
  query Meters(
    $after: String
    $includeArchived: Boolean!
    $query: String
    $start: DateTime!
    $end: DateTime!
    $interval: Interval!
    $zone: String!
  ) {
    meters(first: 20, after: $after, includeArchived: $includeArchived, query: $query) {
      nodes {
        id
        name
        unit
        aggregation {
          function
          property
          carriesOver
        }
        ...MeterProgress_meter
        quantities(start: $start, end: $end, interval: $interval, timezone: $zone) {
          points {
            start
            end
            quantity
          }
          total
          completeThrough
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

type Row = MetersQuery['meters']['nodes'][number];

const COLUMNS: Column<Row>[] = [
  {
    title: 'Meter',
    isName: true,
    cell: ({ id, name }) => (
      <Link to="/meters/$id" params={{ id }}>
        <bdi>{name}</bdi>
      </Link>
    ),
  },
  { title: 'Counts', isMinor: true, cell: ({ aggregation }) => describeAggregation(aggregation) },
  {
    title: 'Trend',
    isMinor: true,
    cell: ({ quantities }) => <Sparkline points={quantities.points} />,
  },
  {
    title: 'In this range',
    isNumber: true,
    cell: ({ unit, quantities: { total, completeThrough } }) => (
      <Quantity value={total ?? null} unit={unit ?? null} completeThrough={completeThrough} />
    ),
  },
  { title: 'State', isMinor: true, nowrap: true, cell: (meter) => <MeterState meter={meter} /> },
];

export function MetersPage() {
  const { bounds, zone } = useView();
  const [{ q }] = useFilters();
  const [includeArchived, setIncludeArchived] = useState(false);
  const list = useList({
    query: Meters,
    variables: {
      ...bounds,
      interval: intervalsOf(bounds)[0] ?? 'DAY',
      zone,
      includeArchived,
      query: q ?? null,
    },
    connection: (data) => data.meters,
  });
  return (
    <Stack>
      <PageHead
        title="Meters"
        about="A meter counts what your customers use, from the events you send."
        tools={
          <>
            <ViewTools />
            <NewMeterLink />
          </>
        }
      />
      <NamedList
        what="meter"
        list={list}
        columns={COLUMNS}
        includeArchived={includeArchived}
        onIncludeArchived={setIncludeArchived}
        about="A meter filters events and adds up what they report. It also counts events that are already stored."
        action={<NewMeterLink />}
      />
    </Stack>
  );
}

function NewMeterLink() {
  return (
    <IfAllowed scope="METERS_WRITE">
      <Link to="/meters/new" className={buttonClass({ look: 'primary' })}>
        New meter
      </Link>
    </IfAllowed>
  );
}
