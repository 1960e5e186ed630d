/** What was done, in words. */

const PAST: Record<string, string> = {
  archive: 'archived',
  cancel: 'canceled',
  change: 'changed',
  create: 'created',
  credit: 'credited',
  delete: 'deleted',
  erase: 'erased',
  finalize: 'finalized',
  recompute: 'recomputed',
  resend: 'sent again',
  resume: 'resumed',
  revoke: 'revoked',
  start: 'started',
  test: 'tested',
  unarchive: 'unarchived',
  update: 'changed',
  void: 'voided',
};

const SPECIAL: Record<string, string> = {
  creditGrantVoid: 'Credit voided',
  customerMeterCredit: 'Credit changed by hand',
  customerMeterRecompute: 'Usage recomputed',
  customerSubscriptionChangeCancel: 'Change of subscription canceled',
  invoiceMarkPaid: 'Invoice marked as paid',
  meterCreditBenefitCreate: 'Benefit created',
  webhookEndpointRotateSecret: 'Webhook secret rotated',
};

/** Says `meterCreate` as “Meter created”. A command of the server is said as it was typed. */
export function describeAction(action: string): string {
  if (action.includes(' ')) {
    return action;
  }
  const special = SPECIAL[action];
  if (special !== undefined) {
    return special;
  }
  // A subscription and a session are a customer’s anyway.
  const [first = '', ...others] = action
    .replace(/^customer(?=[A-Z][a-z]+[A-Z])/, '')
    .split(/(?=[A-Z])/)
    .map((word) => word.toLowerCase());
  const verb = others.pop() ?? '';
  const text = [first, ...others, PAST[verb] ?? verb].join(' ').trimEnd();
  return text.charAt(0).toUpperCase() + text.slice(1);
}
