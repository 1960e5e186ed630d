/** What can be sent. */
export const EVENT_TYPES: readonly { type: string; about: string }[] = [
  { type: 'customer.created', about: 'A customer was created, or first named by an event.' },
  { type: 'customer.updated', about: 'A customer was changed.' },
  { type: 'subscription.created', about: 'A customer subscribed.' },
  { type: 'subscription.trial_ending', about: 'A trial ends in three days.' },
  { type: 'subscription.changed', about: 'Product or quantity changed.' },
  { type: 'subscription.renewed', about: 'The next period began.' },
  { type: 'subscription.cancel_scheduled', about: 'It ends with its current period.' },
  { type: 'subscription.ended', about: 'A subscription ended.' },
  { type: 'invoice.drafted', about: 'A draft was made.' },
  { type: 'invoice.issued', about: 'An invoice got its number.' },
  { type: 'invoice.paid', about: 'An invoice was marked as paid.' },
  { type: 'invoice.voided', about: 'An invoice was voided.' },
  { type: 'credit.granted', about: 'A customer got units.' },
  { type: 'credit.voided', about: 'Credit was voided.' },
  { type: 'alert.triggered', about: 'Usage reached the threshold of an alert.' },
  { type: 'meter.failing', about: 'A meter cannot be counted.' },
];
