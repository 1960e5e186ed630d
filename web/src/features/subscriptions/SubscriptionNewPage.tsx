import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useForm, useWatch } from 'react-hook-form';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { formatExactInstant, formatInstant } from '../../format/time';
import type { Choice } from '../../ui/aria/Picker';
import { Button } from '../../ui/Button';
import { Card, PageHead, Stack } from '../../ui/Surface';
import { showToast } from '../../ui/Toast';
import { useNow } from '../../ui/useNow';
import { useZone } from '../../ui/zone';
import { Allowed } from '../access/permissions';
import { CustomerDialog } from '../customers/CustomerDialog';
import { customerName } from '../customers/CustomerName';
import { CustomerPicker } from '../customers/CustomerPicker';
import { Chosen } from '../forms/choices';
import { PageForm } from '../forms/Form';
import { Row, TextInput } from '../forms/fields';
import { instantAt, neverShown, shownAt } from '../forms/instants';
import { RadioInput } from '../forms/Radios';
import { useSubmission } from '../forms/useSubmission';
import { readWhole, wholeInput } from '../forms/whole';
import { Loaded } from '../listing/Loaded';
import styles from '../products/Product.module.css';
import { ProductPicker } from '../products/ProductPicker';

const NewSubscription = graphql(`
  query NewSubscription($customer: ID!, $product: ID!, $hasCustomer: Boolean!, $hasProduct: Boolean!) {
    customer(id: $customer) @include(if: $hasCustomer) {
      id
      ...CustomerName_customer
    }
    product(id: $product) @include(if: $hasProduct) {
      id
      name
    }
  }
`);

const SubscriptionCreate = graphql(`
  mutation SubscriptionCreate($input: CustomerSubscriptionCreateInput!) {
    customerSubscriptionCreate(input: $input) {
      subscription {
        id
        product {
          id
          name
        }
        customer {
          id
          ...CustomerName_customer
        }
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const ProductTrial = graphql(`
  query ProductTrial($id: ID!) {
    product(id: $id) {
      id
      trialDays
    }
  }
`);

const DAY = 86_400_000;

interface Values {
  customerId: Choice | null;
  productId: Choice | null;
  quantity: string;
  begins: 'now' | 'past' | 'later';
  startedAt: string;
  trialDays: string;
}

export function SubscriptionNewPage() {
  const search = useSearch({ strict: false }) as { customer?: string; product?: string };
  const { customer = '', product = '' } = search;
  const isEmpty = customer === '' && product === '';
  const [{ data, error }, again] = useQuery({
    query: NewSubscription,
    variables: { customer, product, hasCustomer: customer !== '', hasProduct: product !== '' },
    pause: isEmpty,
  });
  return (
    <Allowed scope="BILLING_WRITE">
      <Loaded
        what="customer or product"
        value={isEmpty ? {} : data}
        error={error}
        onRetry={() => again({ requestPolicy: 'network-only' })}
      >
        {(known: NonNullable<typeof data>) => (
          <SubscriptionForm
            key={`${customer} ${product}`}
            customer={
              known.customer ? { key: customer, title: customerName(known.customer) } : null
            }
            product={known.product ? { key: product, title: known.product.name } : null}
          />
        )}
      </Loaded>
    </Allowed>
  );
}

function SubscriptionForm({
  customer,
  product,
}: {
  customer: Choice | null;
  product: Choice | null;
}) {
  const navigate = useNavigate();
  const zone = useZone();
  const now = useNow();
  const form = useForm<Values>({
    defaultValues: {
      customerId: customer,
      productId: product,
      quantity: '1',
      begins: 'now',
      startedAt: '',
      trialDays: '',
    },
  });
  const { control, setValue } = form;
  const [chosen, begins, startedAt, trialDays] = useWatch({
    control,
    name: ['productId', 'begins', 'startedAt', 'trialDays'],
  });
  const [isMaking, setMaking] = useState(false);
  const started = begins === 'now' ? new Date(now).toISOString() : instantAt(startedAt, zone);
  const [{ data: sold }] = useQuery({
    query: ProductTrial,
    variables: { id: chosen?.key ?? '' },
    pause: chosen === null,
  });
  const usual = chosen === null ? null : (sold?.product?.trialDays ?? null);
  const days = trialDays.trim() === '' ? usual : readWhole(trialDays);
  const trialEnd = days && started ? endOf(started, days) : null;
  const submission = useSubmission({
    form,
    mutation: SubscriptionCreate,
    input: ({ customerId, productId, ...values }, idempotencyKey, refuse) => {
      if (customerId === null) {
        refuse('customerId', 'Choose a customer.');
      }
      if (productId === null) {
        refuse('productId', 'Choose a product.');
      }
      if (started === null) {
        refuse('startedAt', values.startedAt === '' ? 'Enter when it begins.' : neverShown(zone));
      }
      return {
        customerId: customerId?.key ?? '',
        productId: productId?.key ?? '',
        quantity: wholeInput(values.quantity, 'quantity', refuse),
        ...(values.begins !== 'now' && { startedAt: started }),
        trialDays: wholeInput(values.trialDays, 'trialDays', refuse),
        idempotencyKey,
      };
    },
    answer: (data) => data.customerSubscriptionCreate,
    onDone: ({ customerSubscriptionCreate: { subscription } }) => {
      if (subscription) {
        showToast(
          `${customerName(subscription.customer)} is subscribed to ${subscription.product.name}.`,
        );
        navigate({ to: '/subscriptions/$id', params: { id: subscription.id } });
      }
    },
  });
  return (
    <Stack>
      <PageHead
        above={<Link to="/subscriptions">Subscriptions</Link>}
        title="New subscription"
        about="When it begins, its credit is granted, and what is charged in advance is invoiced."
      />
      <PageForm
        form={form}
        submission={submission}
        action="Subscribe customer"
        onCancel={() => navigate({ to: '/subscriptions' })}
      >
        <Card title="Who subscribes to what">
          <Stack>
            <div className={styles.picking}>
              <Chosen as={CustomerPicker} name="customerId" label="Customer" />
              <Button onClick={() => setMaking(true)}>New customer</Button>
              {isMaking && (
                <CustomerDialog
                  onSaved={({ id, name }) =>
                    setValue('customerId', { key: id, title: name }, { shouldDirty: true })
                  }
                  onClose={() => setMaking(false)}
                />
              )}
            </div>
            <Row>
              <Chosen as={ProductPicker} name="productId" label="Product" />
              <TextInput
                name="quantity"
                label="Quantity"
                inputMode="numeric"
                autoComplete="off"
                hint="Multiplies the fixed prices."
              />
            </Row>
          </Stack>
        </Card>
        <Card title="When it begins">
          <Stack>
            <RadioInput
              name="begins"
              label="When it begins"
              options={[
                { value: 'now', label: 'Now' },
                {
                  value: 'later',
                  label: 'Later',
                  about: 'At most a year ahead. Nothing is granted or charged before.',
                },
                {
                  value: 'past',
                  label: 'In the past',
                  about:
                    'For a subscription that is running elsewhere. Its current period is granted and billed in full; earlier ones are not invoiced.',
                },
              ]}
            />
            <Row>
              {begins !== 'now' && (
                <TextInput
                  name="startedAt"
                  label={`${begins === 'past' ? 'Began' : 'Begins'} at, ${zone}`}
                  type="datetime-local"
                  {...{ [begins === 'past' ? 'max' : 'min']: shownAt(now, zone) }}
                  hint={
                    started
                      ? `Periods are counted from ${formatExactInstant(started, 'UTC')}.`
                      : null
                  }
                />
              )}
              <TextInput
                name="trialDays"
                label="Free trial, in days"
                inputMode="numeric"
                autoComplete="off"
                placeholder={String(usual ?? 0)}
                hint={
                  trialEnd
                    ? `The first charge is on ${formatInstant(trialEnd, zone)}. 0 for no trial.`
                    : 'If empty, as many as the product has.'
                }
              />
            </Row>
          </Stack>
        </Card>
      </PageForm>
    </Stack>
  );
}

/** The end of a number of days, of 24 hours each; null beyond all calendars. */
function endOf(start: string, days: number): string | null {
  const end = new Date(Date.parse(start) + days * DAY);
  return Number.isNaN(end.getTime()) ? null : end.toISOString();
}
