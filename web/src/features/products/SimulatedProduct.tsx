import type { ReactNode } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { SimulatedBenefitInput } from '../../api/generated/graphql';
import { Loaded } from '../listing/Loaded';
import { benefitChoice, creditsOf } from './benefits';
import { majorText, priceValues } from './priceValues';
import { newProduct, type ProductValues } from './productValues';

const SimulatedProductDocument = graphql(`
  query SimulatedProduct($id: ID!) {
    priceSimulation(id: $id) {
      id
      name
      currency
      recurringInterval
      minimumAmount
      prices {
        id
        ...PriceValues_price
      }
      benefits {
        units
        rollover
        priority
        expiresAfterDays
        rolloverLimit
        meter {
          id
        }
      }
    }
    benefits(first: 100) {
      nodes {
        id
        ...BenefitChoice_benefit
      }
    }
  }
`);

/** The form of a new product, with what was simulated, and its benefits as far as they exist. */
export function SimulatedProduct({
  id,
  children,
}: {
  id: string;
  children(values: ProductValues): ReactNode;
}) {
  const [{ data, error }, again] = useQuery({ query: SimulatedProductDocument, variables: { id } });
  return (
    <Loaded
      what="simulation"
      value={data?.priceSimulation}
      error={error}
      onRetry={() => again({ requestPolicy: 'network-only' })}
    >
      {({ name, currency, recurringInterval, minimumAmount, prices, benefits }) => {
        const known = (data?.benefits.nodes ?? []).map((benefit) => benefitChoice(benefit));
        const chosen = benefits.flatMap((benefit) => {
          const found = known.find(({ credits }) => isSame(credits, creditsOf(benefit)));
          return found ? [found] : [];
        });
        return children({
          ...newProduct(),
          name: name ?? '',
          currency,
          recurringInterval,
          minimumAmount: majorText(minimumAmount, currency),
          prices: prices.map((price) => priceValues(price)),
          benefits: chosen,
        });
      }}
    </Loaded>
  );
}

function isSame(one: SimulatedBenefitInput, other: SimulatedBenefitInput): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}
