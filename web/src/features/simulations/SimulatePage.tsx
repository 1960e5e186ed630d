import { Link, useNavigate } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';
import { serverNow } from '../../api/clock';
import { graphql } from '../../api/generated';
import type { ProductToSimulateQuery } from '../../api/generated/graphql';
import { Card, PageHead, Stack } from '../../ui/Surface';
import { PageForm } from '../forms/Form';
import { ChoiceInput, Row, TextInput } from '../forms/fields';
import { useSubmission } from '../forms/useSubmission';
import { LoadedForm } from '../listing/LoadedForm';
import { BenefitsEditor } from '../products/BenefitsEditor';
import { benefitChoice } from '../products/benefits';
import { PricesEditor } from '../products/PricesEditor';
import { majorText, priceValues } from '../products/priceValues';
import { minimumInput, newProduct, pricesInput, productField } from '../products/productValues';
import { INTERVALS } from '../products/recurrence';
import { lastCycle, rangeOf } from './cycles';

const ProductToSimulate = graphql(`
  query ProductToSimulate($id: ID!) {
    product(id: $id) {
      id
      name
      recurringInterval
      minimumAmount
      prices {
        id
        currency
        ...PriceValues_price
      }
      benefits {
        id
        ...BenefitChoice_benefit
      }
    }
  }
`);

const PriceSimulationStart = graphql(`
  mutation PriceSimulationStart($input: PriceSimulationStartInput!) {
    priceSimulationStart(input: $input) {
      simulation {
        id
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

type Product = NonNullable<ProductToSimulateQuery['product']>;

export function SimulatePage() {
  return (
    <LoadedForm
      scope="BILLING_WRITE"
      what="product"
      query={ProductToSimulate}
      found={(data) => data.product}
    >
      {(product) => <Simulate product={product} />}
    </LoadedForm>
  );
}

function Simulate({ product }: { product: Product }) {
  const { id, name, recurringInterval, minimumAmount, prices, benefits } = product;
  const navigate = useNavigate();
  const currency = prices[0]?.currency ?? 'USD';
  const form = useForm({
    defaultValues: {
      ...newProduct(),
      name: `${name}, other prices`,
      recurringInterval,
      minimumAmount: majorText(minimumAmount, currency),
      currency,
      prices: prices.map((price) => priceValues(price)),
      benefits: benefits.map((benefit) => benefitChoice(benefit)),
      start: lastCycle(recurringInterval, serverNow()),
      cycles: '1',
    },
  });
  const toProduct = () => navigate({ to: '/products/$id', params: { id } });
  const submission = useSubmission({
    form,
    mutation: PriceSimulationStart,
    input: (values, idempotencyKey, refuse) => {
      const cycles = Number(values.cycles);
      if (!Number.isInteger(cycles) || cycles < 1) {
        refuse('cycles', 'This is not a whole number above zero.');
      }
      const range = rangeOf(values.start, Math.min(cycles, 100), values.recurringInterval);
      if (range === null) {
        refuse('start', 'Choose a day.');
      }
      return {
        name: values.name || null,
        productId: id,
        recurringInterval: values.recurringInterval,
        start: range?.start ?? '',
        end: range?.end ?? '',
        minimumAmount: minimumInput(values, refuse),
        prices: pricesInput(values, refuse),
        benefits: values.benefits.map(({ credits }) => credits),
        idempotencyKey,
      };
    },
    at: (path) => {
      if (path[0] === 'end') {
        return ['cycles'];
      }
      return path[0] === 'benefits' ? ['benefits'] : productField(path);
    },
    answer: (data) => data.priceSimulationStart,
    onDone: ({ priceSimulationStart: { simulation } }) => {
      if (simulation) {
        navigate({ to: '/simulations/$id', params: { id: simulation.id } });
      }
    },
  });
  return (
    <Stack>
      <PageHead
        above={
          <Link to="/products/$id" params={{ id }}>
            <bdi>{name}</bdi>
          </Link>
        }
        title="Simulate prices"
        about="What would the customers of this product have paid at other prices? Change the numbers. The usage that was counted is priced again, beside what was billed. Nothing changes for your customers."
      />
      <PageForm form={form} submission={submission} action="Simulate" onCancel={toProduct}>
        <Card title="What to simulate">
          <Stack>
            <Row>
              <TextInput name="start" label="First day" hint="Midnight in UTC." type="date" />
              <ChoiceInput name="recurringInterval" label="Billing period" options={INTERVALS} />
              <TextInput
                name="cycles"
                label="Number of periods"
                hint="At most 31. All of them must be over."
                inputMode="numeric"
                autoComplete="off"
              />
            </Row>
            <Row>
              <TextInput name="name" label="Name (optional)" hint="To find the result again." />
              <TextInput
                name="minimumAmount"
                label="Minimum for usage (optional)"
                hint="In the currency. If all metered prices together come to less, the difference is charged."
                inputMode="decimal"
                autoComplete="off"
                placeholder="No minimum"
              />
            </Row>
          </Stack>
        </Card>
        <PricesEditor />
        <BenefitsEditor about="Credit that every customer would have got in each period." />
      </PageForm>
    </Stack>
  );
}
