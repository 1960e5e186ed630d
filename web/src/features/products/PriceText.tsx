import { Link } from '@tanstack/react-router';
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import type {
  MeteredPriceInput,
  RoundingMode,
  UnitConversionInput,
} from '../../api/generated/graphql';
import { compare, type Decimal, formatDecimal, shift } from '../../format/decimals';
import { LOCALE } from '../../format/locale';
import { formatMoney, formatUnitAmount } from '../../format/money';
import { plural, unitAfter } from '../../format/units';
import { classes } from '../../ui/classes';
import { Quantity } from '../../ui/Figures';
import { Card } from '../../ui/Surface';
import { type Column, Table } from '../../ui/Table';
import { PriceExamples } from './PriceExamples';
import styles from './Product.module.css';
import { rateName } from './rates';
import { type Billed, each, type Recurrence, usageOf, within } from './recurrence';

/** What a list says of a price. */
export const PriceSummary_price = graphql(`
  fragment PriceSummary_price on ProductPrice {
    __typename
    id
    currency
    ... on FixedPrice {
      amount
    }
    ... on MeteredPrice {
      pricing
      unitAmount
      packageAmount
      packageSize
      rates {
        unitAmount
      }
      conversion {
        divideBy
      }
      meter {
        id
        unit
      }
    }
  }
`);

export const PriceCard_price = graphql(`
  fragment PriceCard_price on ProductPrice {
    ...PriceSummary_price
    __typename
    id
    currency
    ... on MeteredPrice {
      pricing
      unitAmount
      packageAmount
      packageSize
      capAmount
      minimumAmount
      billsFlatAmountAtZero
      rates {
        unitAmount
        values {
          property
          value
        }
      }
      conversion {
        divideBy
        round
        decimals
      }
      tiers {
        upTo
        unitAmount
        flatAmount
      }
      meter {
        id
        name
        unit
      }
    }
  }
`);

type Summary = FragmentType<typeof PriceSummary_price>;

/** A price in a few words: $20.00 a month; $50.00 every 3 months; $0.004 a token; Rates by dimension. */
export function priceSummary(of: Summary, product: Recurrence): string {
  const price = readFragment(PriceSummary_price, of);
  if (price.__typename === 'FixedPrice') {
    return `${formatMoney(price.amount, price.currency)} ${each(product)}`;
  }
  const unit = unitOf(price.meter.unit ?? 'unit', price.conversion?.divideBy);
  switch (price.pricing) {
    case 'PER_UNIT': {
      if (price.rates.length > 0) {
        return 'Rates by dimension';
      }
      const each = price.conversion ? `for each ${unit}` : `a ${unit}`;
      return `${formatUnitAmount(price.unitAmount ?? '0', price.currency)} ${each}`;
    }
    case 'PACKAGE':
      return `${formatMoney(price.packageAmount ?? 0, price.currency)} for each ${formatDecimal(
        price.packageSize ?? '1',
      )} ${unitAfter(price.packageSize ?? '1', unit)} or part of them`;
    case 'GRADUATED':
      return 'Graduated by tier';
    case 'VOLUME':
      return 'By volume';
  }
}

/** The dimensions that rates name: model and kind. */
function named(rates: readonly { values: readonly { property: string }[] }[]): string {
  const names = new Set(rates.flatMap(({ values }) => values.map(({ property }) => property)));
  return new Intl.ListFormat(LOCALE).format(names);
}

/** The unit of a price: a token, or 1,000,000 tokens. */
function unitOf(unit: string, divideBy: Decimal | undefined): string {
  return divideBy === undefined ? unit : `${formatDecimal(divideBy)} ${unitAfter(divideBy, unit)}`;
}

interface Tier {
  place: number;
  from: string;
  upTo: string | null;
  unitAmount: string;
  flatAmount: number;
}

/** A price with everything that it says. */
export function PriceCard({
  price: of,
  product,
}: {
  price: FragmentType<typeof PriceCard_price>;
  product: Billed;
}) {
  const price = readFragment(PriceCard_price, of);
  if (price.__typename === 'FixedPrice') {
    return <Card title={priceSummary(price, product)}>Charged in advance, once a period.</Card>;
  }
  const { currency, meter, capAmount, minimumAmount, conversion } = price;
  const amountWithin = (amount: number) =>
    `${formatMoney(amount, currency)} ${within(usageOf(product))}`;
  const input: MeteredPriceInput = {
    currency,
    meterId: meter.id,
    pricing: price.pricing,
    unitAmount: price.unitAmount,
    packageAmount: price.packageAmount,
    packageSize: price.packageSize,
    ...(price.rates.length > 0 && {
      rates: price.rates.map(({ values, unitAmount }) => ({
        unitAmount,
        values: values.map(({ property, value }) => ({ property, value })),
      })),
    }),
    capAmount,
    minimumAmount,
    billsFlatAmountAtZero: price.billsFlatAmountAtZero,
    conversion: conversion && {
      divideBy: conversion.divideBy,
      round: conversion.round,
      decimals: conversion.decimals,
    },
    tiers: price.tiers?.map(({ upTo, unitAmount, flatAmount }) => ({
      upTo,
      unitAmount,
      flatAmount,
    })),
  };
  const rates: Rate[] = price.rates.map(({ values, unitAmount }, place) => ({
    place,
    name: rateName(values),
    unitAmount,
  }));
  if (rates.length > 0) {
    const others = { name: 'All other', unitAmount: price.unitAmount ?? '0' };
    rates.push({ place: rates.length, ...others });
  }
  const tiers: Tier[] = (price.tiers ?? []).map((tier, place, all) => ({
    place,
    from: place === 0 ? '0' : (all[place - 1]?.upTo ?? '0'),
    upTo: tier.upTo ?? null,
    unitAmount: tier.unitAmount,
    flatAmount: tier.flatAmount,
  }));
  return (
    <Card
      title={rates.length > 0 ? `By ${named(price.rates)}` : priceSummary(price, product)}
      flush={tiers.length + rates.length > 0}
    >
      <div>
        {rates.length > 0 && (
          <Table
            label="Rates"
            columns={rateColumns(rates, currency, meter.unit ?? 'unit')}
            rows={rates}
            keyOf={({ place }) => String(place)}
          />
        )}
        {tiers.length > 0 && (
          <Table
            label="Tiers"
            columns={tierColumns(currency)}
            rows={tiers}
            keyOf={({ place }) => String(place)}
          />
        )}
        <div className={classes(styles.below, tiers.length + rates.length > 0 && styles.inset)}>
          <p>
            Charged after the period, on what{' '}
            <Link to="/meters/$id" params={{ id: meter.id }}>
              <bdi>{meter.name}</bdi>
            </Link>{' '}
            counted, less credit.
            {conversion && ` ${convertedText(conversion)}`}
            {price.billsFlatAmountAtZero && ' The first flat fee is due without usage too.'}
            {typeof capAmount === 'number' && ` At most ${amountWithin(capAmount)}.`}
            {typeof minimumAmount === 'number' &&
              ` At least ${amountWithin(minimumAmount)}, even without usage.`}
          </p>
          <PriceExamples price={input} unit={meter.unit ?? null} />
        </div>
      </div>
    </Card>
  );
}

interface Rate {
  place: number;
  name: string;
  unitAmount: string;
}

/** Prices of units that are all far below a cent are easier to read by the million. */
function rateColumns(rates: readonly Rate[], currency: string, unit: string): Column<Rate>[] {
  const isByMillion = rates.every(({ unitAmount }) => compare(unitAmount, '0.01') < 0);
  return [
    { title: 'Units of', isName: true, cell: ({ name }) => <bdi>{name}</bdi> },
    {
      title: isByMillion ? `1,000,000 ${plural(unit)}` : 'Each unit',
      isNumber: true,
      cell: ({ unitAmount }) =>
        formatUnitAmount(isByMillion ? shift(unitAmount, -6) : unitAmount, currency),
    },
  ];
}

const ROUNDED: Record<RoundingMode, string> = {
  NONE: '',
  UP: 'rounded up to',
  DOWN: 'rounded down to',
  HALF_UP: 'rounded to',
};

function convertedText({ divideBy, round, decimals }: UnitConversionInput): string {
  const places = decimals === 0 ? 'a whole number' : `${decimals} decimals`;
  const rounded = round && ROUNDED[round] ? `, ${ROUNDED[round]} ${places}` : '';
  return `Units are divided by ${formatDecimal(divideBy ?? '1')}${rounded}, and then priced.`;
}

function tierColumns(currency: string): Column<Tier>[] {
  return [
    {
      title: 'Units',
      isName: true,
      cell: ({ from, upTo }) => (
        <>
          {from === '0' ? 'First' : 'Above'}{' '}
          {from === '0' ? <Quantity value={upTo} /> : <Quantity value={from} />}
          {from !== '0' && upTo !== null && (
            <>
              {' '}
              up to <Quantity value={upTo} />
            </>
          )}
        </>
      ),
    },
    {
      title: 'Each unit',
      isNumber: true,
      cell: ({ unitAmount }) => formatUnitAmount(unitAmount, currency),
    },
    {
      title: 'Flat fee',
      isNumber: true,
      cell: ({ flatAmount }) => formatMoney(flatAmount, currency),
    },
  ];
}
