// An object that Relay reads again by itself, through `node(id:)`, and a list inside it.
import { graphql } from 'relay-runtime';

export const fragment = graphql`
  fragment CustomerUsage_customer on Customer
  @argumentDefinitions(count: { type: "Int", defaultValue: 10 }, cursor: { type: "String" })
  @refetchable(queryName: "CustomerUsageRefetchQuery") {
    meters(first: $count, after: $cursor) @connection(key: "CustomerUsage_meters") {
      edges {
        node {
          consumedUnits
          meter {
            name
            unit
          }
        }
      }
    }
  }
`;
