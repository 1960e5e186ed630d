import { type ComponentType, Suspense, useState } from 'react';
import type { Choice } from '../../ui/aria/Picker';
import { Button } from '../../ui/Button';
import { Icon } from '../../ui/Icon';
import { useFilters } from './filters';

export interface FilterPickerProps {
  label: string;
  name: string;
  hideLabel: true;
  chosen: null;
  onChoose(choice: Choice | null): void;
}

interface PickedFilterProps {
  /** Its name in the address. */
  filter: string;
  /** Such as “customer”. */
  what: string;
  /** Loads when it is opened. */
  picker: ComponentType<FilterPickerProps>;
  /** The name of the one with an id; undefined until it is known. */
  useName(id: string): string | undefined;
}

/** Restricts a list to what belongs to one thing, which is found by its name. */
export function PickedFilter(props: PickedFilterProps) {
  const { filter, what, picker: Picker } = props;
  const [{ [filter]: id }, change] = useFilters();
  const [isChoosing, setChoosing] = useState(false);
  if (id) {
    return <Picked {...props} id={id} onClear={() => change({ [filter]: undefined })} />;
  }
  if (!isChoosing) {
    return (
      <Button small onClick={() => setChoosing(true)}>
        By {what}
      </Button>
    );
  }
  return (
    <Suspense>
      <Picker
        label={what.replace(/^./, (first) => first.toUpperCase())}
        name={filter}
        hideLabel
        chosen={null}
        onChoose={(choice) => {
          setChoosing(false);
          change({ [filter]: choice?.key });
        }}
      />
    </Suspense>
  );
}

function Picked({
  id,
  what,
  useName,
  onClear,
}: PickedFilterProps & { id: string; onClear(): void }) {
  const name = useName(id) ?? `One ${what}`;
  return (
    <Button small onClick={onClear} aria-label={`Show all ${what}s, not only ${name}`}>
      <bdi>{name}</bdi>
      <Icon name="close" size={12} />
    </Button>
  );
}
