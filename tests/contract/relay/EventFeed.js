// A filtered list from both ends, every node type by its interface, a mutation, a subscription.
import { graphql } from 'relay-runtime';

export const events = graphql`
  query EventFeedQuery($filter: EventFilter, $last: Int) {
    events(last: $last, filter: $filter) @connection(key: "EventFeed_events", filters: ["filter"]) {
      edges {
        node {
          name
          metadata
        }
      }
    }
  }
`;

export const node = graphql`
  query EventFeedNodeQuery($id: ID!) {
    node(id: $id) {
      __typename
      ... on Customer {
        externalId
      }
      ... on Meter {
        name
      }
      ... on Invoice {
        number
      }
    }
  }
`;

export const create = graphql`
  mutation EventFeedCreateCustomerMutation($input: CustomerCreateInput!, $connections: [ID!]!) {
    customerCreate(input: $input) {
      customer
        @appendNode(connections: $connections, edgeTypeName: "CustomerEdge") {
        externalId
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`;

export const usage = graphql`
  subscription EventFeedUsageSubscription($after: String) {
    usageUpdated(after: $after) {
      cursor
      customerMeter {
        consumedUnits
        balance
      }
    }
  }
`;
