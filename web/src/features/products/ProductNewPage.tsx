import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useForm } from 'react-hook-form';
import { graphql } from '../../api/generated';
import type { BillingPeriods, RecurringInterval } from '../../api/generated/graphql';
import type { Option } from '../../ui/Field';
import { Card, PageHead, Stack } from '../../ui/Surface';
import { showToast } from '../../ui/Toast';
import { Allowed } from '../access/permissions';
import { CURRENCIES } from '../forms/amounts';
import { PageForm } from '../forms/Form';
import { AreaInput, ChoiceInput, Row, SuggestedInput, TextInput } from '../forms/fields';
import { useSubmission } from '../forms/useSubmission';
import { wholeInput } from '../forms/whole';
import { BenefitsEditor } from './BenefitsEditor';
import { PricesEditor } from './PricesEditor';
import {
  intervalsInput,
  minimumInput,
  newProduct,
  type ProductValues,
  pricesInput,
  productField,
} from './productValues';
import { INTERVALS } from './recurrence';
import { SimulatedProduct } from './SimulatedProduct';

const ProductCreate = graphql(`
  mutation ProductCreate($input: ProductCreateInput!) {
    productCreate(input: $input) {
      product {
        id
        name
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const BEGINNINGS: Option<BillingPeriods>[] = [
  { value: 'FROM_START', label: 'With each subscription' },
  { value: 'CALENDAR', label: 'With the calendar' },
];
const USAGE_INTERVALS: Option<RecurringInterval | ''>[] = [
  { value: '', label: 'With each period' },
  { value: 'DAY', label: 'Every day' },
  { value: 'WEEK', label: 'Every week' },
  { value: 'MONTH', label: 'Every month' },
  { value: 'YEAR', label: 'Every year' },
];

export function ProductNewPage() {
  const { simulation } = useSearch({ strict: false });
  return (
    <Allowed scope="BILLING_WRITE">
      {simulation ? (
        <SimulatedProduct key={simulation} id={simulation}>
          {(values) => <NewProduct values={values} />}
        </SimulatedProduct>
      ) : (
        <NewProduct values={newProduct()} />
      )}
    </Allowed>
  );
}

function NewProduct({ values: defaultValues }: { values: ProductValues }) {
  const navigate = useNavigate();
  const form = useForm({ defaultValues });
  const submission = useSubmission({
    form,
    mutation: ProductCreate,
    input: (values, idempotencyKey, refuse) => ({
      name: values.name,
      description: values.description || null,
      recurringInterval: values.recurringInterval,
      intervalCount: intervalsInput(values.intervalCount, refuse),
      billingPeriods: values.billingPeriods,
      trialDays: wholeInput(values.trialDays, 'trialDays', refuse),
      minimumAmount: minimumInput(values, refuse),
      usageInterval: values.usageInterval || null,
      prices: pricesInput(values, refuse),
      benefitIds: values.benefits.map(({ key }) => key),
      idempotencyKey,
    }),
    at: productField,
    answer: (data) => data.productCreate,
    onDone: ({ productCreate: { product } }) => {
      if (product) {
        showToast(`${product.name} is on sale.`);
        navigate({ to: '/products/$id', params: { id: product.id } });
      }
    },
  });
  return (
    <Stack>
      <PageHead
        above={<Link to="/products">Products</Link>}
        title="New product"
        about="Its interval, trial, currency and prices cannot change later, so customers keep the terms that they agreed to. For other prices, create another product."
      />
      <PageForm
        form={form}
        submission={submission}
        action="Create product"
        onCancel={() => navigate({ to: '/products' })}
      >
        <Card title="Product">
          <Stack>
            <Row>
              <TextInput name="name" label="Name" hint="Invoices show it." autoFocus />
              <SuggestedInput
                name="currency"
                label="Currency"
                hint="For all prices."
                options={CURRENCIES}
              />
            </Row>
            <Row>
              <TextInput
                name="intervalCount"
                label="Billed every"
                hint="For a quarter, enter 3 months."
                inputMode="numeric"
                autoComplete="off"
              />
              <ChoiceInput name="recurringInterval" label="Interval" options={INTERVALS} />
              <ChoiceInput
                name="billingPeriods"
                label="Periods begin"
                hint="With the calendar, the first period is shorter and costs its share."
                options={BEGINNINGS}
              />
            </Row>
            <Row>
              <ChoiceInput
                name="usageInterval"
                label="Usage billed"
                hint="Credit is granted as often. A yearly plan can bill usage every month."
                options={USAGE_INTERVALS}
              />
              <TextInput
                name="trialDays"
                label="Free trial, in days (optional)"
                hint="Benefits are granted and usage is counted, but nothing is charged. Each subscription can have its own."
                inputMode="numeric"
                autoComplete="off"
              />
              <TextInput
                name="minimumAmount"
                label="Minimum for usage (optional)"
                hint="In the currency. If all metered prices together come to less, the difference is charged."
                inputMode="decimal"
                autoComplete="off"
                placeholder="No minimum"
              />
            </Row>
            <AreaInput name="description" label="Description (optional)" rows={2} />
          </Stack>
        </Card>
        <PricesEditor />
        <BenefitsEditor about="A benefit grants credit on a meter as often as usage is billed." />
      </PageForm>
    </Stack>
  );
}
