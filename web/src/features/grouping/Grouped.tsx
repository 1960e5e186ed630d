/** Usage by dimension: a stacked chart, a legend that filters, and a table of all groups. */
import { useMemo } from 'react';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import type { AggregationFunction } from '../../api/generated/graphql';
import { percent } from '../../format/decimals';
import type { Interval } from '../../format/time';
import { plural } from '../../format/units';
import { Button } from '../../ui/Button';
import { Swatch } from '../../ui/chart/Swatch';
import type { Point } from '../../ui/chart/series';
import { TimeChart } from '../../ui/chart/TimeChart';
import { classes } from '../../ui/classes';
import { Quantity } from '../../ui/Figures';
import { Stack } from '../../ui/Surface';
import { type Column, Table } from '../../ui/Table';
import { mergingOf } from '../meters/aggregation';
import styles from './Grouped.module.css';
import {
  ALL,
  alone,
  type Choice,
  grouped,
  isAlone,
  type NamedGroup,
  toggled,
  totalOf,
} from './groups';

export const Grouped_quantities = graphql(`
  fragment Grouped_quantities on MeterQuantities {
    total
    completeThrough
    groups {
      isOther
      values {
        property
        value
      }
      total
      points {
        start
        end
        quantity
      }
    }
  }
`);

export interface GroupedProps {
  /** Of what. */
  name: string;
  unit: string | null;
  function: AggregationFunction;
  by: readonly string[];
  /** Undefined while they are on their way. */
  quantities: FragmentType<typeof Grouped_quantities> | undefined;
  interval: Interval;
  choice: Choice;
  setChoice(choice: Choice): void;
  /** The points as a table, instead of the chart. */
  asTable?: boolean;
  height?: number;
  onPick?: ((point: Point) => void) | undefined;
}

const NONE: readonly never[] = [];

export function Grouped(props: GroupedProps) {
  const { name, unit, by, interval, choice, setChoice, asTable = false, height = 280 } = props;
  const quantities = readFragment(Grouped_quantities, props.quantities);
  const merging = mergingOf(props.function);
  const isAdditive = merging === 'sum';
  const all = quantities?.groups ?? NONE;
  const { entries, groups, undrawn } = useMemo(() => {
    const found = grouped(all, isAdditive, props.choice);
    // An address may name groups that are not there.
    return hasShown(found) ? found : grouped(all, isAdditive, ALL);
  }, [all, isAdditive, props.choice]);
  const shown = entries.filter(({ isShown }) => isShown);
  const byText = by.join(' · ');

  function choose(next: Choice) {
    // Without any group there would be nothing to look at.
    setChoice(hasShown(grouped(all, isAdditive, next)) ? next : ALL);
  }

  return (
    <Stack>
      <TimeChart
        label={`${name} by ${byText}`}
        series={shown}
        kind={isAdditive ? 'bar' : 'line'}
        stacked={isAdditive}
        interval={interval}
        unit={unit}
        merging={merging}
        completeThrough={quantities?.completeThrough ?? null}
        loading={quantities === undefined}
        asTable={asTable}
        height={height}
        legend={entries.length > 0 && <Legend {...{ entries, choice }} onChoose={choose} />}
        {...(props.onPick && { onPick: props.onPick })}
      />
      {undrawn > 0 && (
        <p className={styles.note}>
          The chart has the {entries.length} largest groups. The table has {undrawn} more.
        </p>
      )}
      {quantities !== undefined && all.length > 0 && (
        <GroupsTable
          {...{ name, unit, groups, choice, isAdditive }}
          by={byText}
          total={quantities.total ?? null}
          onChoose={choose}
        />
      )}
    </Stack>
  );
}

function hasShown({ entries }: ReturnType<typeof grouped>): boolean {
  return entries.some(({ isShown }) => isShown);
}

function Legend({
  entries,
  choice,
  onChoose,
}: {
  entries: readonly NamedGroup[];
  choice: Choice;
  onChoose(choice: Choice): void;
}) {
  return (
    <ul className={styles.legend} aria-label="Groups in the chart">
      {entries.map(({ key, name, look, isShown }) => (
        <li key={key}>
          <button
            type="button"
            className={styles.value}
            aria-pressed={isShown}
            title={name}
            onClick={() => onChoose(toggled(choice, key))}
          >
            <Swatch look={look} />
            <bdi>{name}</bdi>
          </button>
          {entries.length > 1 && <Only name={name} groupKey={key} {...{ choice, onChoose }} />}
        </li>
      ))}
      {choice.keys.length > 0 && (
        <li className={styles.all}>
          <Button small look="quiet" onClick={() => onChoose(ALL)}>
            Show all
          </Button>
        </li>
      )}
    </ul>
  );
}

function Only({
  name,
  groupKey,
  choice,
  onChoose,
}: {
  name: string;
  groupKey: string;
  choice: Choice;
  onChoose(choice: Choice): void;
}) {
  return (
    <button
      type="button"
      className={styles.alone}
      aria-pressed={isAlone(choice, groupKey)}
      aria-label={`Only ${name}`}
      onClick={() => onChoose(alone(choice, groupKey))}
    >
      Only
    </button>
  );
}

function GroupsTable({
  name,
  unit,
  by,
  groups,
  choice,
  isAdditive,
  total,
  onChoose,
}: {
  name: string;
  unit: string | null;
  by: string;
  groups: readonly NamedGroup[];
  choice: Choice;
  isAdditive: boolean;
  total: string | null;
  onChoose(choice: Choice): void;
}) {
  const shown = groups.filter(({ isShown }) => isShown);
  const columns: Column<NamedGroup>[] = [
    {
      title: by,
      isName: true,
      cell: (group) => (
        <span className={classes(styles.cell, !group.isShown && styles.hidden)}>
          <Swatch look={group.look} />
          <bdi>{group.name}</bdi>
        </span>
      ),
      foot: 'Total',
    },
    {
      title: unit === null ? 'Used' : `Used (${plural(unit)})`,
      isNumber: true,
      cell: (group) => <Quantity value={group.total} />,
      foot: <Quantity value={total} />,
    },
    ...(isAdditive
      ? [
          {
            title: 'Share of the total',
            isNumber: true,
            isMinor: true,
            cell: (group: NamedGroup) => percent(group.total ?? '0', total ?? '0'),
          },
        ]
      : []),
    ...(groups.length > 1
      ? [
          {
            title: 'In the chart',
            nowrap: true,
            cell: (group: NamedGroup) => (
              <Only name={group.name} groupKey={group.key} {...{ choice, onChoose }} />
            ),
          },
        ]
      : []),
  ];
  return (
    <>
      {isAdditive && choice.keys.length > 0 && (
        <p>
          <Quantity value={totalOf(shown)} unit={unit} /> in the groups that are shown, of{' '}
          <Quantity value={total} unit={unit} />
        </p>
      )}
      <div className={classes(styles.table, groups.length > 1 && styles.choosable)}>
        <Table
          label={`${name} by ${by}, in total`}
          columns={columns}
          rows={groups}
          keyOf={({ key }) => key}
        />
      </div>
    </>
  );
}
