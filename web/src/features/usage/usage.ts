/** What a customer has used of a meter, and has left. */
import { graphql } from '../../api/generated';

export const CustomerUsage = graphql(`
  fragment CustomerUsage on CustomerMeter {
    id
    periodStart
    periodEnd
    consumedUnits
    creditedUnits
    balance
    updatedAt
  }
`);
