import { Link, useParams } from '@tanstack/react-router';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { ProductPageQuery } from '../../api/generated/graphql';
import { formatMoney } from '../../format/money';
import { Badge } from '../../ui/Badge';
import { Id } from '../../ui/Code';
import { Empty } from '../../ui/Empty';
import { Quantity, Time } from '../../ui/Figures';
import { Card, Columns, KeyValue, KeyValues, PageHead } from '../../ui/Surface';
import { type Column, Table } from '../../ui/Table';
import { History } from '../audit/History';
import { Loaded } from '../listing/Loaded';
import { unusedUnits } from './benefits';
import { PriceCard } from './PriceText';
import { ProductActions } from './ProductActions';
import { type Billed, every, usageOf, within } from './recurrence';

const ProductPageDocument = graphql(`
  query ProductPage($id: ID!) {
    product(id: $id) {
      id
      name
      description
      recurringInterval
      intervalCount
      billingPeriods
      trialDays
      minimumAmount
      usageInterval
      usageIntervalCount
      createdAt
      archivedAt
      ...ProductActions_product
      prices {
        id
        currency
        ...PriceCard_price
      }
      benefits {
        id
        description
        units
        rollover
        priority
        expiresAfterDays
        rolloverLimit
        perQuantity
        meter {
          id
          name
          unit
        }
      }
    }
  }
`);

type Benefit = NonNullable<ProductPageQuery['product']>['benefits'][number];

const benefitColumns = (product: Billed): Column<Benefit>[] => [
  { title: 'Benefit', isName: true, cell: ({ description }) => <bdi>{description}</bdi> },
  {
    title: 'Meter',
    isMinor: true,
    cell: ({ meter }) => (
      <Link to="/meters/$id" params={{ id: meter.id }}>
        <bdi>{meter.name}</bdi>
      </Link>
    ),
  },
  {
    title: `Units ${every(usageOf(product))}`,
    isNumber: true,
    cell: ({ units, perQuantity, meter }) => (
      <>
        <Quantity value={units} unit={meter.unit ?? null} />
        {perQuantity && ' for each'}
      </>
    ),
  },
  {
    title: 'Unused units',
    cell: (benefit) => sentence(unusedUnits(benefit)),
  },
  { title: 'Priority', isNumber: true, isMinor: true, cell: ({ priority }) => priority },
];

const sentence = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

export function ProductPage() {
  const { id } = useParams({ strict: false }) as { id: string };
  const [{ data, error }, again] = useQuery({ query: ProductPageDocument, variables: { id } });
  return (
    <Loaded
      what="product"
      value={data?.product}
      error={error}
      onRetry={() => again({ requestPolicy: 'network-only' })}
    >
      {(product) => (
        <>
          <PageHead
            above={<Link to="/products">Products</Link>}
            title={product.name}
            badge={
              product.archivedAt ? <Badge>Archived</Badge> : <Badge tone="good">On sale</Badge>
            }
            about={product.description}
            tools={<ProductActions product={product} />}
          />
          <Columns>
            {product.prices.map((price) => (
              <PriceCard key={price.id} price={price} product={product} />
            ))}
          </Columns>
          <Card title="Benefits" flush>
            <Table
              label="Benefits"
              columns={benefitColumns(product)}
              rows={product.benefits}
              keyOf={(benefit) => benefit.id}
              empty={
                <Empty title="No benefits">
                  A benefit grants credit on a meter as often as usage is billed.
                </Empty>
              }
            />
          </Card>
          <Card title="Details">
            <KeyValues>
              <KeyValue name="Billed">{sentence(every(product))}</KeyValue>
              <KeyValue name="Usage billed">{sentence(every(usageOf(product)))}</KeyValue>
              <KeyValue name="Periods begin">
                {product.billingPeriods === 'CALENDAR'
                  ? 'With the calendar of your time zone. The first period is shorter and costs its share.'
                  : 'With each subscription.'}
              </KeyValue>
              <KeyValue name="Minimum for usage">
                {product.minimumAmount == null
                  ? 'None'
                  : `${formatMoney(product.minimumAmount, product.prices[0]?.currency ?? 'USD')} ${within(usageOf(product))}`}
              </KeyValue>
              <KeyValue name="Free trial">
                {product.trialDays ? (
                  <Quantity value={String(product.trialDays)} unit="day" />
                ) : (
                  'None'
                )}
              </KeyValue>
              <KeyValue name="Prices">
                They never change, so customers keep the terms that they agreed to. For other
                prices, create another product.
              </KeyValue>
              <KeyValue name="Created">
                <Time at={product.createdAt} />
              </KeyValue>
              <KeyValue name="ID">
                <Id value={product.id} label="product ID" />
              </KeyValue>
            </KeyValues>
          </Card>
          <History id={product.id} />
        </>
      )}
    </Loaded>
  );
}
