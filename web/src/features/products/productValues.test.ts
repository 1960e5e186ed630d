import { expect, test } from 'vitest';
import {
  draftPrice,
  intervalsInput,
  newPrice,
  newRate,
  newTier,
  pricesInput,
  productField,
} from './productValues';

function failing(): never {
  throw new Error('nothing to refuse');
}

const METER = { key: 'meter-1', title: 'Tokens' };

test('amounts go in minor units, exactly', () => {
  const fixed = { ...newPrice('fixed'), fixed: { amount: '1,234.50' } };
  expect(pricesInput({ currency: 'USD', prices: [fixed] }, failing)).toEqual([
    { fixed: { currency: 'USD', amount: 123450 } },
  ]);
});

test('a metered price has the fields of its pricing and no others', () => {
  const price = newPrice('metered');
  Object.assign(price.metered, {
    meterId: METER,
    unitAmount: '0.000004',
    packageSize: '1000',
    packageAmount: '5',
  });
  const of = (pricing: 'PER_UNIT' | 'PACKAGE') =>
    pricesInput(
      { currency: 'USD', prices: [{ ...price, metered: { ...price.metered, pricing } }] },
      failing,
    );
  expect(of('PER_UNIT')).toEqual([
    {
      metered: { currency: 'USD', meterId: 'meter-1', pricing: 'PER_UNIT', unitAmount: '0.0004' },
    },
  ]);
  expect(of('PACKAGE')).toEqual([
    {
      metered: {
        currency: 'USD',
        meterId: 'meter-1',
        pricing: 'PACKAGE',
        packageAmount: 500,
        packageSize: '1000',
      },
    },
  ]);
});

test('a rate has the dimensions that it names', () => {
  const price = newPrice('metered');
  const rate = newRate(['model', 'kind']);
  rate.unitAmount = '0.02';
  rate.values[0] = { property: 'model', value: 'large' };
  Object.assign(price.metered, { meterId: METER, unitAmount: '0.01', rates: [rate] });
  expect(pricesInput({ currency: 'USD', prices: [price] }, failing)[0]?.metered?.rates).toEqual([
    { values: [{ property: 'model', value: 'large' }], unitAmount: '2' },
  ]);
  const problem = ['prices', '0', 'metered', 'rates', '1', 'values', '0', 'value'];
  expect(productField(problem)).toEqual(problem.slice(0, 6));
});

test('limits and a conversion are left out unless they are given', () => {
  const price = newPrice('metered');
  Object.assign(price.metered, {
    meterId: METER,
    unitAmount: '1',
    capAmount: '20',
    minimumAmount: '5',
    conversion: { divideBy: '1,000,000', round: 'UP', decimals: '2' },
  });
  expect(pricesInput({ currency: 'USD', prices: [price] }, failing)).toEqual([
    {
      metered: {
        currency: 'USD',
        meterId: 'meter-1',
        pricing: 'PER_UNIT',
        unitAmount: '100',
        capAmount: 2000,
        minimumAmount: 500,
        conversion: { divideBy: '1000000', round: 'UP', decimals: 2 },
      },
    },
  ]);
});

test('the last tier has no end, and a flat amount may be left out', () => {
  const price = newPrice('metered');
  Object.assign(price.metered, {
    meterId: METER,
    pricing: 'GRADUATED',
    capAmount: '100',
    tiers: [
      { upTo: '1,000', unitAmount: '0.01', flatAmount: '' },
      { upTo: 'ignored', unitAmount: '0', flatAmount: '2' },
    ],
  });
  expect(pricesInput({ currency: 'JPY', prices: [price] }, failing)).toEqual([
    {
      metered: {
        currency: 'JPY',
        meterId: 'meter-1',
        pricing: 'GRADUATED',
        capAmount: 100,
        tiers: [
          { upTo: '1000', unitAmount: '0.01', flatAmount: 0 },
          { upTo: null, unitAmount: '0', flatAmount: 2 },
        ],
      },
    },
  ]);
});

test('what cannot be written is refused at its input', () => {
  const price = newPrice('metered');
  price.metered.pricing = 'VOLUME';
  price.metered.tiers = [{ ...newTier(), unitAmount: 'x', flatAmount: '1.005' }];
  const refused: string[] = [];
  pricesInput({ currency: 'USD', prices: [price] }, (field) => refused.push(field));
  expect(refused).toEqual([
    'prices.0.metered.meterId',
    'prices.0.metered.tiers.0.unitAmount',
    'prices.0.metered.tiers.0.flatAmount',
  ]);
});

test('the currency of any price is that of the product', () => {
  expect(productField(['prices', '1', 'fixed', 'currency'])).toEqual(['currency']);
  expect(productField(['benefitIds', '0'])).toEqual(['benefits']);
  expect(productField(['name'])).toEqual(['name']);
});

test('a price can be rated as soon as its numbers are there, with or without a meter', () => {
  const { metered } = newPrice('metered');
  expect(draftPrice(metered, 'USD')).toBeNull();
  const priced = { ...metered, unitAmount: '0.02' };
  expect(draftPrice(priced, 'USD')).toMatchObject({ unitAmount: '2', meterId: '' });
  expect(draftPrice({ ...priced, capAmount: '1.001' }, 'USD')).toBeNull();
  const tiered = {
    ...metered,
    pricing: 'VOLUME' as const,
    tiers: [
      { upTo: '', unitAmount: '1', flatAmount: '' },
      { upTo: '', unitAmount: '0.5', flatAmount: '' },
    ],
  };
  expect(draftPrice(tiered, 'USD')).toBeNull();
  const [first, last] = tiered.tiers;
  const ended = { ...tiered, tiers: [{ ...first, upTo: '10' }, last] } as typeof tiered;
  expect(draftPrice(ended, 'USD')?.tiers?.map(({ upTo }) => upTo)).toEqual(['10', null]);
});

test('the number of intervals is whole', () => {
  expect(intervalsInput('3', failing)).toBe(3);
  for (const text of ['', '0', '-1', '1.5', 'three']) {
    const refused: string[] = [];
    const refuse = (field: string): never => {
      refused.push(field);
      throw new Error('refused');
    };
    expect(() => intervalsInput(text, refuse)).toThrow('refused');
    expect(refused).toEqual(['intervalCount']);
  }
});
