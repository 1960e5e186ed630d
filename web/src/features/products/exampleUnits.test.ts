import { expect, test } from 'vitest';
import type { MeteredPriceInput } from '../../api/generated/graphql';
import { exampleUnits } from './exampleUnits';

const tiers = (...bounds: (string | null)[]) =>
  bounds.map((upTo) => ({ upTo, unitAmount: '1', flatAmount: 0 }));

test.each<[string, Partial<MeteredPriceInput>, string[]]>([
  ['one, some and many at one price', { pricing: 'PER_UNIT' }, ['1', '1000', '1000000']],
  ['a tier without end', { pricing: 'VOLUME', tiers: tiers(null) }, ['1', '1000', '1000000']],
  ['the end of each tier, and above', { tiers: tiers('10', '2.5', null) }, ['10', '2.5', '5']],
  [
    'the first and the last of many tiers',
    { tiers: tiers('1', '2', '3', '4', '5', '6', null) },
    ['1', '2', '3', '6', '12'],
  ],
  [
    'nothing above what the API rates',
    { tiers: tiers('10', `6${'0'.repeat(29)}`, null) },
    ['10', `6${'0'.repeat(29)}`],
  ],
  ['a package, and one more', { pricing: 'PACKAGE', packageSize: '100' }, ['1', '100', '101']],
  ['nothing, where it costs something', { minimumAmount: 500 }, ['0', '1', '1000', '1000000']],
  [
    'a unit of the price, and one more of the meter',
    { conversion: { divideBy: '3600', round: 'UP' } },
    ['1', '3600', '3601', '3600000'],
  ],
  ['a package of one', { pricing: 'PACKAGE', packageSize: '1' }, ['1', '2']],
])('%s', (_what, price, units) => {
  expect(exampleUnits({ currency: 'USD', meterId: '', ...price })).toEqual(units);
});
