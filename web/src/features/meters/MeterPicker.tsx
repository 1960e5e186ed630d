import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { type Choice, Picker } from '../../ui/aria/Picker';
import { useSearchText } from '../listing/useSearchText';

const MeterChoices = graphql(`
  query MeterChoices($query: String) {
    meters(first: 50, query: $query) {
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
  const { query, isTyping, onSearch } = useSearchText();
  const [{ data, fetching }] = useQuery({ query: MeterChoices, variables: { query } });
  return (
    <Picker
      {...props}
      choices={(data?.meters.nodes ?? []).map((meter) => meterChoice(meter))}
      onSearch={onSearch}
      isSearching={fetching || isTyping}
      nothing="No meter matches"
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
