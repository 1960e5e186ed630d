/** Buttons, fields, and how values look. */
import { useState } from 'react';
import { customRange, NAMED_RANGES } from '../format/ranges';
import { Combobox } from '../ui/aria/Combobox';
import { Badge } from '../ui/Badge';
import { Button } from '../ui/Button';
import { Code, Id } from '../ui/Code';
import { Checkbox, SearchInput, SelectField, TextField } from '../ui/Field';
import { RelativeTime, Time } from '../ui/Figures';
import { Icon } from '../ui/Icon';
import { Progress } from '../ui/Progress';
import { Card, Columns, KeyValue, KeyValues, Stack, Tools } from '../ui/Surface';
import { showToast } from '../ui/Toast';
import { LONG } from './numbers';

export function Controls({ onOpenDialog }: { onOpenDialog(): void }) {
  const [zone, setZone] = useState('Europe/Berlin');
  const [checked, setChecked] = useState(true);
  const now = new Date().toISOString();
  return (
    <>
      <Card title="Buttons">
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
          <Button onClick={onOpenDialog}>Open dialog</Button>
          <Button onClick={() => showToast('500 units credited to Acme.')}>Toast</Button>
        </Tools>
      </Card>
      <Columns>
        <Card title="Fields">
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
        </Card>
        <Card title="Values">
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
        </Card>
        <Card title="Badges and progress">
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
        </Card>
        <Card title="Code">
          <Code
            label="event"
            text={JSON.stringify(
              { model: 'gpt-4.1', total_tokens: 1204, nested: { a: [1, 2] } },
              null,
              2,
            )}
          />
        </Card>
      </Columns>
    </>
  );
}
