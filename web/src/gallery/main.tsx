/** Every component in all its states, to be looked at. Only in development. */
import '../ui/theme.css';
import '../dashboard/inter.css';
import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { ActionMenu } from '../ui/aria/Menu';
import { Badge } from '../ui/Badge';
import { Button } from '../ui/Button';
import { Dialog } from '../ui/Dialog';
import { Empty } from '../ui/Empty';
import { ErrorPanel } from '../ui/ErrorPanel';
import { TextField } from '../ui/Field';
import { Money, Quantity } from '../ui/Figures';
import { Card, Columns, Figure, Figures, PageHead, Stack } from '../ui/Surface';
import { Table } from '../ui/Table';
import { Tabs } from '../ui/Tabs';
import { showToast, Toasts } from '../ui/Toast';
import { Charts } from './Charts';
import { Controls } from './Controls';
import { FORTY, LONG } from './numbers';

const ROWS = [
  { name: 'Acme', units: '1204', balance: '998796', amount: 2000 },
  { name: 'شركة الاختبار', units: '0.000001', balance: '-0.5', amount: -150 },
  { name: LONG, units: '184467440737095516', balance: '12.75', amount: 9_007_199_254_740_991 },
  { name: 'Wonka', units: FORTY, balance: `-${FORTY}`, amount: 0 },
];

function Gallery() {
  const [tab, setTab] = useState<'usage' | 'credits'>('usage');
  const [isOpen, setOpen] = useState(location.hash === '#dialog');
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
        <Card title="Figures">
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
        </Card>
        <Charts />
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
        <Controls onOpenDialog={() => setOpen(true)} />
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
            advice: 'The server’s log has the reason under this ID.',
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
