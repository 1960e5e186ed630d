import { useMemo, useState } from 'react';
import {
  customRange,
  daysIn,
  NAMED_RANGES,
  type NamedRange,
  parseDays,
  type Range,
} from '../../format/ranges';
import { formatPeriod } from '../../format/time';
import { allZones, browserZone, formatOffset, offsetAt } from '../../format/zones';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { TextField, ToolSelect } from '../../ui/Field';
import { Stack } from '../../ui/Surface';
import { useNow } from '../../ui/useNow';
import { useView } from './view';

const CUSTOM = 'custom';

/** Chooses the range and the zone of a page. */
export function ViewTools() {
  const { range, bounds, zone, setRange, setZone } = useView();
  const [isChoosing, setChoosing] = useState(false);
  const isNamed = range in NAMED_RANGES;
  const options = [
    ...Object.entries(NAMED_RANGES).map(([value, label]) => ({ value, label })),
    {
      value: CUSTOM,
      label: isNamed ? 'Choose days…' : formatPeriod(bounds.start, bounds.end, zone),
    },
  ];
  return (
    <>
      <ToolSelect
        label="Range"
        value={isNamed ? range : CUSTOM}
        options={options}
        onChange={(value) => (value === CUSTOM ? setChoosing(true) : setRange(value as NamedRange))}
      />
      {!isNamed && (
        <Button small onClick={() => setChoosing(true)}>
          Change days
        </Button>
      )}
      <ZoneSelect zone={zone} onChange={setZone} />
      {isChoosing && (
        <DaysDialog
          shown={daysIn(bounds, zone)}
          onClose={() => setChoosing(false)}
          onChoose={setRange}
        />
      )}
    </>
  );
}

/** All zones; that of the browser and UTC first, as most people want one of them. */
export function ZoneSelect({ zone, onChange }: { zone: string; onChange(zone: string): void }) {
  const now = useNow();
  const options = useMemo(() => {
    const first = [...new Set(['UTC', browserZone(), zone])];
    return [...first, ...allZones().filter((each) => !first.includes(each))].map((value) => ({
      value,
      label: zoneLabel(value, now),
    }));
  }, [zone, now]);
  return <ToolSelect label="Time zone" value={zone} options={options} onChange={onChange} />;
}

function zoneLabel(zone: string, now: number): string {
  const offset = formatOffset(offsetAt(now, zone));
  return zone === 'UTC' ? 'UTC' : `${zone.replaceAll('_', ' ')} (${offset})`;
}

function DaysDialog({
  shown: [from, to],
  onClose,
  onChoose,
}: {
  /** First and last day of what is shown now. */
  shown: readonly [string, string];
  onClose(): void;
  onChoose(range: Range): void;
}) {
  const [first, setFirst] = useState(from);
  const [last, setLast] = useState(to);
  const days = parseDays(`${first}..${last}`);
  const isBackwards = first !== '' && last !== '' && days === null;
  return (
    <Dialog
      title="Choose days"
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose}>Cancel</Button>
          <Button
            look="primary"
            disabled={days === null}
            onClick={() => {
              if (days !== null) {
                onChoose(customRange(days.first, days.last));
                onClose();
              }
            }}
          >
            Show
          </Button>
        </>
      }
    >
      <Stack>
        <TextField
          label="First day"
          type="date"
          value={first}
          onChange={(event) => setFirst(event.target.value)}
        />
        <TextField
          label="Last day"
          type="date"
          value={last}
          error={isBackwards ? 'The last day must not be before the first.' : undefined}
          onChange={(event) => setLast(event.target.value)}
        />
      </Stack>
    </Dialog>
  );
}
