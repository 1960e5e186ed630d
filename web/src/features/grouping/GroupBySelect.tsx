import { ToolSelect } from '../../ui/Field';

const NOTHING = '[]';

/** Chooses by which dimensions usage is grouped. */
export function GroupBySelect({
  groupings,
  by,
  onChange,
}: {
  groupings: readonly (readonly string[])[];
  by: readonly string[];
  onChange(by: readonly string[]): void;
}) {
  const options = [
    { value: NOTHING, label: 'Not grouped' },
    ...groupings.map((each) => ({
      value: JSON.stringify(each),
      label: `By ${each.join(' and ')}`,
    })),
  ];
  return (
    <ToolSelect
      label="Group by"
      value={JSON.stringify(by)}
      options={options}
      onChange={(value) => onChange(JSON.parse(value) as string[])}
    />
  );
}
