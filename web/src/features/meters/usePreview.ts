/** What a meter would count, asked for while one types. */
import { useEffect, useRef, useState } from 'react';
import { useFormContext, useWatch } from 'react-hook-form';
import { useClient } from 'urql';
import { graphql } from '../../api/generated';
import type { MeterPreviewQuery, MeterPreviewQueryVariables } from '../../api/generated/graphql';
import { type Problem, problemOf, withoutPlace } from '../../api/problems';
import type { Interval } from '../../format/time';
import {
  aggregationInput,
  type DefinitionValues,
  filterInput,
  formPath,
  isComplete,
} from './meterValues';

const MeterPreviewDocument = graphql(`
  query MeterPreview(
    $filter: MeterFilterInput!
    $aggregation: MeterAggregationInput!
    $start: DateTime
    $end: DateTime
    $customerId: ID
    $interval: Interval!
    $zone: String!
  ) {
    meterPreview(
      filter: $filter
      aggregation: $aggregation
      start: $start
      end: $end
      customerId: $customerId
    ) {
      matchedEvents
      skippedEvents
      quantity
      completeThrough
      quantities(interval: $interval, timezone: $zone) {
        points {
          start
          end
          quantity
        }
      }
      events(first: 8) {
        nodes {
          id
          name
          timestamp
          metadata
          customer {
            id
            ...CustomerName_customer
          }
        }
      }
    }
  }
`);

export type Preview = MeterPreviewQuery['meterPreview'];

/** After the last key. */
const PAUSE = 300;

export type PreviewedAggregation = Pick<DefinitionValues['aggregation'], 'function' | 'property'>;

export interface PreviewState {
  /** The latest answer, and what it is an answer to. */
  answer: {
    preview: Preview;
    of: PreviewedAggregation;
    interval: Interval;
  } | null;
  state: 'incomplete' | 'asking' | 'refused' | 'answered';
  problem: Problem | null;
}

export function usePreview(scope: {
  start: string;
  end: string;
  customerId: string | null;
  interval: Interval;
  zone: string;
}): PreviewState {
  const client = useClient();
  const { setError, clearErrors } = useFormContext<DefinitionValues>();
  const [filter, aggregation] = useWatch<DefinitionValues, ['filter', 'aggregation']>({
    name: ['filter', 'aggregation'],
  });
  const refused = useRef<'filter' | 'aggregation'>(null);
  const [answer, setAnswer] = useState<PreviewState['answer']>(null);
  const [state, setState] = useState<PreviewState['state']>('incomplete');
  const [problem, setProblem] = useState<Problem | null>(null);
  const isReady = isComplete({ filter, aggregation });
  const question = JSON.stringify({
    ...scope,
    filter: filterInput(filter),
    aggregation: aggregationInput(aggregation),
  });

  useEffect(() => {
    if (!isReady) {
      setState('incomplete');
      return undefined;
    }
    setState('asking');
    let cancel = () => {};
    const timer = setTimeout(() => {
      const variables = JSON.parse(question) as MeterPreviewQueryVariables;
      ({ unsubscribe: cancel } = client
        .query(MeterPreviewDocument, variables, { requestPolicy: 'network-only' })
        .subscribe(({ data, error }) => {
          if (refused.current !== null) {
            clearErrors(refused.current);
            refused.current = null;
          }
          if (data) {
            const { function: name, property } = variables.aggregation;
            setAnswer({
              preview: data.meterPreview,
              of: { function: name, property: property ?? '' },
              interval: variables.interval,
            });
            setProblem(null);
            setState('answered');
            return;
          }
          const [first] = error?.graphQLErrors ?? [];
          const path = first?.extensions?.path;
          if (Array.isArray(path) && (path[0] === 'filter' || path[0] === 'aggregation')) {
            refused.current = path[0];
            const message = withoutPlace(first?.message ?? '');
            setError(formPath(path).join('.') as 'filter', { message });
            setProblem(null);
          } else if (error) {
            setProblem(problemOf(error));
          }
          setState('refused');
        }));
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      cancel();
    };
  }, [client, isReady, question, setError, clearErrors]);

  return { answer, state, problem };
}
