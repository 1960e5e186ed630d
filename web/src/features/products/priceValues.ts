/** Prices that exist, as a form has them: the inverse of what `pricesInput` makes. */
import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { type Decimal, shift } from '../../format/decimals';
import { currencyDecimals } from '../../format/money';
import { meterChoice } from '../meters/MeterPicker';
import { newPrice, type PriceValues } from './productValues';

export const PriceValues_price = graphql(`
  fragment PriceValues_price on ProductPrice {
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
        dimensions
      }
    }
  }
`);

/** Major units, as a person would type them. */
export function majorText(amount: Decimal | number | null | undefined, currency: string): string {
  return amount == null ? '' : shift(String(amount), currencyDecimals(currency));
}

export function priceValues(of: FragmentType<typeof PriceValues_price>): PriceValues {
  const price = readFragment(PriceValues_price, of);
  const { currency } = price;
  if (price.__typename === 'FixedPrice') {
    return { ...newPrice('fixed'), fixed: { amount: majorText(price.amount, currency) } };
  }
  const { metered: empty, ...rest } = newPrice('metered');
  const { meter, conversion } = price;
  return {
    ...rest,
    metered: {
      ...empty,
      meterId: meterChoice(meter),
      pricing: price.pricing,
      unitAmount: majorText(price.unitAmount, currency),
      rates: price.rates.map(({ values, unitAmount }) => ({
        values: meter.dimensions.map((property) => ({
          property,
          value: values.find((one) => one.property === property)?.value ?? '',
        })),
        unitAmount: majorText(unitAmount, currency),
      })),
      tiers:
        price.tiers?.map(({ upTo, unitAmount, flatAmount }) => ({
          upTo: upTo ?? '',
          unitAmount: majorText(unitAmount, currency),
          flatAmount: flatAmount === 0 ? '' : majorText(flatAmount, currency),
        })) ?? empty.tiers,
      packageAmount: majorText(price.packageAmount, currency),
      packageSize: price.packageSize ?? '',
      billsFlatAmountAtZero: price.billsFlatAmountAtZero,
      capAmount: majorText(price.capAmount, currency),
      minimumAmount: majorText(price.minimumAmount, currency),
      conversion: conversion
        ? { ...conversion, decimals: String(conversion.decimals) }
        : empty.conversion,
    },
  };
}
