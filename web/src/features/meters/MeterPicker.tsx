import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { type Choice, Picker } from '../../ui/aria/Picker';

const MeterChoices = graphql(`
  query MeterChoices {
    meters(first: 100) {
      nodes {
        id
        name
        unit
      }
    }
  }
`);

/** A meter, found by a part of its name. */
export function MeterPicker(props: {
  label: string;
  name: string;
  error?: string | undefined;
  chosen: Choice | null;
  onChoose(choice: Choice | null): void;
}) {
  const [{ data }] = useQuery({ query: MeterChoices });
  return (
    <Picker
      {...props}
      choices={(data?.meters.nodes ?? []).map((meter) => meterChoice(meter))}
      nothing={data === undefined ? 'Loading…' : 'No meter matches'}
    />
  );
}

export function meterChoice({
  id,
  name,
  unit,
}: {
  id: string;
  name: string;
  unit?: string | null;
}): Choice {
  return { key: id, title: name, ...(unit && { detail: unit }) };
}
