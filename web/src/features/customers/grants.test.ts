import { expect, test } from 'vitest';
import { type Granted, grantState, inOrder, isUsable } from './grants';

const NOW = Date.parse('2026-01-15T00:00:00Z');

function grant(given: Partial<Granted> & { name?: string } = {}) {
  return {
    remaining: '5',
    priority: 50,
    effectiveAt: '2026-01-01T00:00:00Z',
    createdAt: '2026-01-01T00:00:00Z',
    expiresAt: null,
    voidedAt: null,
    ...given,
  };
}

test.each([
  ['active', {}],
  ['active', { expiresAt: '2026-01-15T00:00:01Z', effectiveAt: '2026-01-15T00:00:00Z' }],
  ['coming', { effectiveAt: '2026-01-15T00:00:01Z' }],
  ['expired', { expiresAt: '2026-01-15T00:00:00Z', remaining: '0' }],
  ['used', { remaining: '0' }],
  ['used', { remaining: '0.000', expiresAt: '2026-02-01T00:00:00Z' }],
  ['voided', { remaining: '0', voidedAt: '2026-01-10T00:00:00Z' }],
  ['voided', { expiresAt: '2026-01-12T00:00:00Z', voidedAt: '2026-01-10T00:00:00Z' }],
] as const)('a grant is %s: %j', (state, given) => {
  expect(grantState(grant(given), NOW)).toBe(state);
  expect(isUsable(grant(given), NOW)).toBe(state === 'active' || state === 'coming');
});

test('usable grants come in the order of use, then the others from the latest', () => {
  const grants = [
    grant({ name: 'used first of all', remaining: '0' }),
    grant({ name: 'never expires' }),
    grant({ name: 'never expires, and is older', createdAt: '2025-01-01T00:00:00Z' }),
    grant({ name: 'voided later', voidedAt: '2026-01-14T00:00:00Z' }),
    grant({ name: 'expires', expiresAt: '2026-03-01T00:00:00Z' }),
    grant({ name: 'expires sooner', expiresAt: '2026-02-01T00:00:00Z' }),
    grant({ name: 'has priority', priority: 1 }),
  ];
  expect(inOrder(grants, NOW).map(({ name }) => name)).toEqual([
    'has priority',
    'expires sooner',
    'expires',
    'never expires, and is older',
    'never expires',
    'voided later',
    'used first of all',
  ]);
});
