import { expect, test } from 'vitest';
import { type ChargedLine, comparedCharges } from './comparison';

const line = (
  kind: ChargedLine['kind'],
  id: string,
  amount: number,
  units?: string,
  description = `${kind} of ${id}`,
) => ({
  ...{ kind, description, amount, price: { id } },
  ...(units !== undefined && { billableUnits: units }),
});

test('charges are compared price by price, and one that is new or gone has no other side', () => {
  const before = [line('METERED', 'tokens', 80, '149994.5'), line('FIXED', 'old', 2000)];
  const now = [
    line('METERED', 'tokens', 120, '250000'),
    line('CORRECTION', 'tokens', 3, '5'),
    line('CORRECTION', 'tokens', -1, '-2'),
  ];
  expect(comparedCharges(before, now)).toEqual([
    {
      key: 'METERED tokens METERED of tokens',
      description: 'METERED of tokens',
      before: { amount: '80', units: '149994.5', description: 'METERED of tokens' },
      now: { amount: '120', units: '250000', description: 'METERED of tokens' },
    },
    {
      key: 'CORRECTION tokens CORRECTION of tokens',
      description: 'CORRECTION of tokens',
      before: null,
      now: { amount: '2', units: '3', description: 'CORRECTION of tokens' },
    },
    {
      key: 'FIXED old FIXED of old',
      description: 'FIXED of old',
      before: { amount: '2000', units: null, description: 'FIXED of old' },
      now: null,
    },
  ]);
});

test('the lines of a price with rates are compared rate by rate', () => {
  const before = [line('METERED', 'tokens', 80, '100', 'input')];
  const now = [
    line('METERED', 'tokens', 90, '110', 'input'),
    line('METERED', 'tokens', 500, '20', 'output'),
  ];
  const compared = comparedCharges(before, now);
  expect(
    compared.map(({ description, before, now }) => [description, before?.amount, now?.amount]),
  ).toEqual([
    ['input', '80', '90'],
    ['output', undefined, '500'],
  ]);
});
