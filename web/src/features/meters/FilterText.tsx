import { Fragment } from 'react';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import type { ClauseOperator, Conjunction } from '../../api/generated/graphql';

/** Filters nest five levels deep at most. */
export const FilterText_filter = graphql(`
  fragment FilterText_filter on MeterFilter {
    conjunction
    clauses {
      __typename
      ... on MeterClause { property operator value }
      ... on MeterFilter {
        conjunction
        clauses {
          __typename
          ... on MeterClause { property operator value }
          ... on MeterFilter {
            conjunction
            clauses {
              __typename
              ... on MeterClause { property operator value }
              ... on MeterFilter {
                conjunction
                clauses {
                  __typename
                  ... on MeterClause { property operator value }
                  ... on MeterFilter {
                    conjunction
                    clauses {
                      __typename
                      ... on MeterClause { property operator value }
                    }
                  }
                }
              }
            }
          }
        }
      }
    }
  }
`);

interface Clause {
  __typename?: 'MeterClause';
  property: string;
  operator: ClauseOperator;
  value: string | number | boolean;
}

interface Filter {
  __typename?: 'MeterFilter';
  conjunction: Conjunction;
  clauses: readonly (Clause | Filter | Record<string, never>)[];
}

const OPERATORS: Record<ClauseOperator, string> = {
  CONTAINS: 'contains',
  EQUALS: 'is',
  GREATER_THAN: '>',
  GREATER_THAN_OR_EQUALS: '≥',
  LESS_THAN: '<',
  LESS_THAN_OR_EQUALS: '≤',
  NOT_CONTAINS: 'does not contain',
  NOT_EQUALS: 'is not',
};

/** A filter in words: name is ai_usage and (model is a or model is b). */
export function FilterText({ filter }: { filter: FragmentType<typeof FilterText_filter> }) {
  const read = readFragment(FilterText_filter, filter) as Filter;
  return read.clauses.length === 0 ? 'All events' : <Clauses filter={read} />;
}

function Clauses({ filter: { conjunction, clauses } }: { filter: Filter }) {
  return clauses.map((clause, place) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: clauses have no names, and never change places
    <Fragment key={place}>
      {place > 0 && ` ${conjunction.toLowerCase()} `}
      {'clauses' in clause ? (
        <>
          (<Clauses filter={clause as Filter} />)
        </>
      ) : (
        <Comparison clause={clause as Clause} />
      )}
    </Fragment>
  ));
}

function Comparison({ clause: { property, operator, value } }: { clause: Clause }) {
  return (
    <>
      <code>{property}</code> {OPERATORS[operator]}{' '}
      <code>{typeof value === 'string' ? value : JSON.stringify(value)}</code>
    </>
  );
}
