import { expect, test } from 'vitest';
import { priceValues } from './priceValues';
import { pricesInput } from './productValues';

const failing = (): never => {
  throw new Error('nothing to refuse');
};

const METERED = {
  __typename: 'MeteredPrice',
  id: 'price',
  currency: 'USD',
  pricing: 'PER_UNIT',
  unitAmount: '0.0004',
  packageAmount: null,
  packageSize: null,
  capAmount: 5000,
  minimumAmount: null,
  billsFlatAmountAtZero: false,
  rates: [{ unitAmount: '2.5', values: [{ property: 'kind', value: 'output' }] }],
  conversion: { divideBy: '1000', round: 'UP', decimals: 2 },
  tiers: null,
  meter: { id: 'meter', name: 'Tokens', unit: 'token', dimensions: ['model', 'kind'] },
};

/** What is sent for a price that exists. */
const sent = (price: object) =>
  pricesInput({ currency: 'USD', prices: [priceValues(price as never)] }, failing);

test('a form sends the prices that it was filled with', () => {
  const fixed = { __typename: 'FixedPrice', id: 'price', currency: 'USD', amount: 123456 };
  expect(sent(fixed)).toEqual([{ fixed: { currency: 'USD', amount: 123456 } }]);
  expect(sent(METERED)).toEqual([
    {
      metered: {
        currency: 'USD',
        meterId: 'meter',
        pricing: 'PER_UNIT',
        unitAmount: '0.0004',
        rates: [{ unitAmount: '2.5', values: [{ property: 'kind', value: 'output' }] }],
        conversion: { divideBy: '1000', round: 'UP', decimals: 2 },
        capAmount: 5000,
      },
    },
  ]);
});

test('tiers and packages are filled in, too', () => {
  const tiers = [
    { upTo: '100', unitAmount: '1', flatAmount: 0 },
    { upTo: null, unitAmount: '0.5', flatAmount: 250 },
  ];
  const graduated = { ...METERED, pricing: 'GRADUATED', tiers, rates: [], unitAmount: null };
  expect(sent(graduated)[0]?.metered?.tiers).toEqual(tiers);
  const pack = {
    ...METERED,
    pricing: 'PACKAGE',
    packageAmount: 40,
    packageSize: '1000',
    rates: [],
  };
  expect(sent(pack)[0]?.metered).toMatchObject({ packageAmount: 40, packageSize: '1000' });
});
