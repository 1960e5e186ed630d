/** Every component in all its states, to be looked at. Only in development. */
import '../ui/theme.css';
import '../dashboard/inter.css';
import { type ReactNode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { customRange, NAMED_RANGES } from '../format/ranges';
import { Combobox } from '../ui/aria/Combobox';
import { ActionMenu } from '../ui/aria/Menu';
import { Badge } from '../ui/Badge';
import { Button } from '../ui/Button';
import { Code, Id } from '../ui/Code';
import { Sparkline } from '../ui/chart/Sparkline';
import type { Point } from '../ui/chart/series';
import { TimeChart } from '../ui/chart/TimeChart';
import { Dialog } from '../ui/Dialog';
import { Empty } from '../ui/Empty';
import { ErrorPanel } from '../ui/ErrorPanel';
import { Checkbox, SearchInput, SelectField, TextField } from '../ui/Field';
import { Money, Quantity, RelativeTime, Time } from '../ui/Figures';
import { Icon } from '../ui/Icon';
import { Progress } from '../ui/Progress';
import {
  Card,
  Columns,
  Figure,
  Figures,
  KeyValue,
  KeyValues,
  PageHead,
  Stack,
  Tools,
} from '../ui/Surface';
import { Table } from '../ui/Table';
import { Segments, Tabs } from '../ui/Tabs';
import { showToast, Toasts } from '../ui/Toast';

const DAY = 86_400_000;
const START = Date.parse('2026-10-23T00:00:00Z');
const FORTY = '1234567890123456789012345678901234567891';
const LONG = 'An organization whose name was written by a lawyer '.repeat(4);

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

const ROWS = [
  { name: 'Acme', units: '1204', balance: '998796', amount: 2000 },
  { name: 'شركة الاختبار', units: '0.000001', balance: '-0.5', amount: -150 },
  { name: LONG, units: '184467440737095516', balance: '12.75', amount: 9_007_199_254_740_991 },
  { name: 'Wonka', units: FORTY, balance: `-${FORTY}`, amount: 0 },
];

function Part({ title, children }: { title: string; children: ReactNode }) {
  return <Card title={title}>{children}</Card>;
}

function Gallery() {
  const [tab, setTab] = useState<'usage' | 'credits'>('usage');
  const [view, setView] = useState<'chart' | 'table'>('chart');
  const [zone, setZone] = useState('Europe/Berlin');
  const [checked, setChecked] = useState(true);
  const [isOpen, setOpen] = useState(location.hash === '#dialog');
  const now = new Date().toISOString();
  return (
    <main style={{ maxWidth: 1160, margin: '0 auto', padding: 24 }}>
      <Stack>
        <PageHead
          above={<a href="#x">Meters</a>}
          title="AI usage"
          badge={
            <Badge tone="good" dot>
              Live
            </Badge>
          }
          about="Sum of total_tokens over events where name is ai_usage."
          tools={
            <>
              <Button>Compare</Button>
              <Button look="primary">New meter</Button>
              <ActionMenu
                label="More"
                actions={[
                  { name: 'Rename', run: () => showToast('Renamed') },
                  { name: 'Archive', isDanger: true, run: () => showToast('That failed', true) },
                ]}
              />
            </>
          }
        />
        <Part title="Figures">
          <Figures>
            <Figure label="Used" note="+12.5% to the 30 days before">
              <Quantity value="12345678" unit="token" compact />
            </Figure>
            <Figure label="Forty digits">
              <Quantity value={FORTY} unit="byte" />
            </Figure>
            <Figure label="Nothing">
              <Quantity value={null} />
            </Figure>
            <Figure label="Invoiced">
              <Money amount={1234567} currency="USD" />
            </Figure>
          </Figures>
        </Part>
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
          <Part title="Stacked">
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
          </Part>
          <Part title="Lines">
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
          </Part>
          <Part title="Area of 1,200 hours, with gaps and below zero">
            <TimeChart
              label="Area"
              kind="area"
              series={[{ name: 'Hours', points: hours(1200) }]}
              interval="HOUR"
              merging="highest"
              height={200}
            />
          </Part>
          <Part title="Forty digits">
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
          </Part>
          <Part title="Nothing">
            <TimeChart
              label="None"
              series={[{ name: 'None', points: [] }]}
              interval="DAY"
              merging="sum"
              height={160}
            />
          </Part>
          <Part title="All zero">
            <TimeChart
              label="Zero"
              series={[{ name: 'Zero', points: days(7, 0) }]}
              interval="DAY"
              merging="sum"
              height={160}
            />
          </Part>
          <Part title="Loading">
            <TimeChart
              label="Loading"
              loading
              series={[]}
              interval="DAY"
              merging="sum"
              height={160}
            />
          </Part>
          <Part title="Sparklines">
            <Tools>
              <Sparkline points={days(30, 10)} />
              <Sparkline points={days(30, 0)} />
              <Sparkline points={[]} />
            </Tools>
          </Part>
        </Columns>
        <Card title="Table" flush>
          <Table
            label="Customers"
            rows={ROWS}
            keyOf={({ name }) => name}
            columns={[
              { title: 'Customer', isName: true, cell: ({ name }) => <bdi>{name}</bdi> },
              { title: 'Used', isNumber: true, cell: ({ units }) => <Quantity value={units} /> },
              {
                title: 'Balance',
                isNumber: true,
                cell: ({ balance }) => <Quantity value={balance} />,
              },
              {
                title: 'Amount',
                isNumber: true,
                cell: ({ amount }) => <Money amount={amount} currency="USD" />,
              },
            ]}
            more={{ busy: false, load: () => {} }}
          />
        </Card>
        <Columns>
          <Card title="Table, loading" flush>
            <Table
              label="Loading"
              loading
              rows={[] as typeof ROWS}
              keyOf={({ name }) => name}
              columns={[
                { title: 'Customer', isName: true, cell: ({ name }) => name },
                { title: 'Used', isNumber: true, cell: ({ units }) => units },
              ]}
            />
          </Card>
          <Card title="Table, empty" flush>
            <Empty title="No meters yet" action={<Button look="primary">New meter</Button>}>
              A meter counts what your customers use. It also counts events that are there already.
            </Empty>
          </Card>
        </Columns>
        <Part title="Buttons">
          <Tools>
            <Button>Normal</Button>
            <Button look="primary">Primary</Button>
            <Button look="danger">Delete</Button>
            <Button look="quiet">Quiet</Button>
            <Button small>Small</Button>
            <Button disabled>Disabled</Button>
            <Button look="primary" busy>
              Saving
            </Button>
            <Button iconOnly aria-label="Print">
              <Icon name="print" />
            </Button>
            <Button onClick={() => setOpen(true)}>Open dialog</Button>
            <Button onClick={() => showToast('500 units credited to Acme.')}>Toast</Button>
          </Tools>
        </Part>
        <Columns>
          <Part title="Fields">
            <Stack>
              <TextField label="Name" placeholder="API calls" hint="What people call it." />
              <TextField label="Units" defaultValue="-1" error="Units must be above zero." />
              <TextField label="Locked" defaultValue="ai_usage" disabled />
              <SelectField
                label="Interval"
                value="DAY"
                options={[
                  { value: 'DAY', label: 'Day' },
                  { value: 'WEEK', label: 'Week' },
                ]}
                onChange={() => {}}
              />
              <Combobox
                label="Time zone"
                options={['UTC', 'Europe/Berlin', 'America/New_York']}
                value={zone}
                onChange={setZone}
              />
              <SearchInput label="Search customers" onChange={() => {}} />
              <Checkbox label="Show archived" checked={checked} onChange={setChecked} />
            </Stack>
          </Part>
          <Part title="Values">
            <KeyValues>
              <KeyValue name="ID">
                <Id value="TWV0ZXI6MDE5M2E" label="ID" />
              </KeyValue>
              <KeyValue name="Created">
                <Time at={now} />
              </KeyValue>
              <KeyValue name="Last used">
                <RelativeTime at={now} />
              </KeyValue>
              <KeyValue name="Range">
                {NAMED_RANGES['30d']} or{' '}
                {customRange({ year: 2026, month: 1, day: 1 }, { year: 2026, month: 2, day: 1 })}
              </KeyValue>
              <KeyValue name="Name">
                <bdi>{LONG}</bdi>
              </KeyValue>
            </KeyValues>
          </Part>
          <Part title="Badges and progress">
            <Stack>
              <Tools>
                <Badge>Canceled</Badge>
                <Badge tone="good">Active</Badge>
                <Badge tone="warn">Ends Nov 30</Badge>
                <Badge tone="bad">Failing</Badge>
                <Badge tone="accent">Draft</Badge>
              </Tools>
              <Progress label="Used" value={0.4} />
              <Progress label="Used" value={0.85} tone="warn" />
              <Progress label="Used" value={1} tone="bad" />
            </Stack>
          </Part>
          <Part title="Code">
            <Code
              label="event"
              text={JSON.stringify(
                { model: 'gpt-4.1', total_tokens: 1204, nested: { a: [1, 2] } },
                null,
                2,
              )}
            />
          </Part>
        </Columns>
        <ErrorPanel
          problem={{
            kind: 'offline',
            title: 'Can’t reach Metergraph',
            advice: 'Check your connection, then try again.',
          }}
          onRetry={() => {}}
        />
        <ErrorPanel
          problem={{
            kind: 'internal',
            title: 'Something went wrong on the server',
            advice: 'The reason is in the server’s log, beside this id.',
            code: 'INTERNAL',
            id: '0193b2c4d8f7',
          }}
        />
        <Tabs
          label="Parts"
          tabs={[
            { key: 'usage', title: 'Usage' },
            { key: 'credits', title: 'Credits' },
          ]}
          selected={tab}
          onSelect={setTab}
        >
          <p style={{ paddingTop: 12 }}>{tab}</p>
        </Tabs>
      </Stack>
      {isOpen && (
        <Dialog
          title="Cancel the subscription of Acme?"
          onClose={() => setOpen(false)}
          actions={
            <>
              <Button onClick={() => setOpen(false)}>Keep it</Button>
              <Button look="danger">Cancel subscription</Button>
            </>
          }
        >
          <p>It ends on Nov 30, 2026. Usage up to then is invoiced.</p>
          <TextField label="Reason" hint="Only you see it." />
        </Dialog>
      )}
      <Toasts />
    </main>
  );
}

const root = document.getElementById('page');
if (root !== null) {
  createRoot(root).render(<Gallery />);
}
