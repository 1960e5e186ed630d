/** Charts with much, little and nothing to show. */
import { useState } from 'react';
import { Sparkline } from '../ui/chart/Sparkline';
import type { Point } from '../ui/chart/series';
import { TimeChart } from '../ui/chart/TimeChart';
import { Card, Columns, Tools } from '../ui/Surface';
import { Segments } from '../ui/Tabs';
import { FORTY } from './numbers';

const DAY = 86_400_000;
const START = Date.parse('2026-10-23T00:00:00Z');

function days(count: number, size: number, phase = 0): Point[] {
  return Array.from({ length: count }, (_day, day) => ({
    start: new Date(START + day * DAY).toISOString(),
    end: new Date(START + (day + 1) * DAY).toISOString(),
    quantity: String(
      Math.round(size * (2 + Math.sin((day + phase) / 1.1) + ((day * 7919) % 13) / 9)),
    ),
  }));
}

function hours(count: number): Point[] {
  return Array.from({ length: count }, (_hour, hour) => ({
    start: new Date(START + (hour * DAY) / 24).toISOString(),
    end: new Date(START + ((hour + 1) * DAY) / 24).toISOString(),
    quantity: hour % 50 < 4 ? null : String(((hour * 7919) % 613) - 40),
  }));
}

export function Charts() {
  const [view, setView] = useState<'chart' | 'table'>('chart');
  return (
    <>
      <Card
        title="Bars, with the days before"
        tools={
          <Segments
            label="View"
            options={[
              { key: 'chart', title: 'Chart' },
              { key: 'table', title: 'Table' },
            ]}
            selected={view}
            onSelect={setView}
          />
        }
      >
        <TimeChart
          label="Usage by day"
          series={[{ name: 'AI usage', points: days(30, 40_000) }]}
          before={{ name: '30 days before', points: days(30, 33_000, 3) }}
          interval="DAY"
          unit="token"
          merging="sum"
          completeThrough="2026-11-21T12:00:00Z"
          asTable={view === 'table'}
        />
      </Card>
      <Columns>
        <Card title="Stacked">
          <TimeChart
            label="Stacked"
            stacked
            series={['Acme', 'Globex', 'Initech'].map((name, place) => ({
              name,
              points: days(14, 900 * (3 - place), place),
            }))}
            interval="DAY"
            merging="sum"
            height={200}
          />
        </Card>
        <Card title="Lines">
          <TimeChart
            label="Lines"
            kind="line"
            series={['p50', 'p99'].map((name, place) => ({
              name,
              points: days(14, 40 * (place + 1), place),
            }))}
            interval="DAY"
            merging="highest"
            height={200}
          />
        </Card>
        <Card title="Area of 1,200 hours, with gaps and below zero">
          <TimeChart
            label="Area"
            kind="area"
            series={[{ name: 'Hours', points: hours(1200) }]}
            interval="HOUR"
            merging="highest"
            height={200}
          />
        </Card>
        <Card title="Forty digits">
          <TimeChart
            label="Huge"
            series={[
              {
                name: 'Huge',
                points: days(5, 1).map((point, i) => ({
                  ...point,
                  quantity: FORTY.slice(0, 39) + i,
                })),
              },
            ]}
            interval="DAY"
            merging="sum"
            height={200}
          />
        </Card>
        <Card title="Nothing">
          <TimeChart
            label="None"
            series={[{ name: 'None', points: [] }]}
            interval="DAY"
            merging="sum"
            height={160}
          />
        </Card>
        <Card title="All zero">
          <TimeChart
            label="Zero"
            series={[{ name: 'Zero', points: days(7, 0) }]}
            interval="DAY"
            merging="sum"
            height={160}
          />
        </Card>
        <Card title="Loading">
          <TimeChart
            label="Loading"
            loading
            series={[]}
            interval="DAY"
            merging="sum"
            height={160}
          />
        </Card>
        <Card title="Sparklines">
          <Tools>
            <Sparkline points={days(30, 10)} />
            <Sparkline points={days(30, 0)} />
            <Sparkline points={[]} />
          </Tools>
        </Card>
      </Columns>
    </>
  );
}
