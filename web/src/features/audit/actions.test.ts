import { expect, test } from 'vitest';
import { describeAction } from './actions';

test.each([
  ['meterCreate', 'Meter created'],
  ['customerCreate', 'Customer created'],
  ['customerUpdate', 'Customer changed'],
  ['customerSubscriptionCancel', 'Subscription canceled'],
  ['customerSessionRevoke', 'Session revoked'],
  ['customerMeterCredit', 'Credit changed by hand'],
  ['accessTokenRevoke', 'Access token revoked'],
  ['priceSimulationStart', 'Price simulation started'],
  ['eventsVoid', 'Events voided'],
  ['invoiceMarkPaid', 'Invoice marked as paid'],
  ['metergraph token create', 'metergraph token create'],
  // What nobody has heard of yet.
  ['moonTravelBook', 'Moon travel book'],
  ['moon', 'Moon'],
])('%s is “%s”', (action, text) => {
  expect(describeAction(action)).toBe(text);
});
