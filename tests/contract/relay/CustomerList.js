// A list as Relay pages it: @connection in a fragment that is its own query.
import { graphql } from 'relay-runtime';

export const fragment = graphql`
  fragment CustomerList_query on Query
  @argumentDefinitions(count: { type: "Int", defaultValue: 2 }, cursor: { type: "String" })
  @refetchable(queryName: "CustomerListPaginationQuery") {
    customers(first: $count, after: $cursor) @connection(key: "CustomerList_customers") {
      edges {
        node {
          id
          externalId
          ...CustomerUsage_customer
        }
      }
    }
  }
`;

export const query = graphql`
  query CustomerListQuery {
    ...CustomerList_query
  }
`;
