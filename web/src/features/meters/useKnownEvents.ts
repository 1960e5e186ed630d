import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { KnownEventsQuery } from '../../api/generated/graphql';

const KnownEvents = graphql(`
  query KnownEvents {
    eventNames {
      name
      metadataKeys
    }
  }
`);

const NONE: KnownEventsQuery['eventNames'] = [];

/** The names that events have had, and the properties of each, to suggest. */
export function useKnownEvents(): KnownEventsQuery['eventNames'] {
  const [{ data }] = useQuery({ query: KnownEvents });
  return data?.eventNames ?? NONE;
}
