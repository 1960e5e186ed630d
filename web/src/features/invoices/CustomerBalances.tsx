import { type FragmentType, graphql, readFragment } from '../../api/generated';
import { Money } from '../../ui/Figures';
import styles from './Invoice.module.css';

export const CustomerBalances_customer = graphql(`
  fragment CustomerBalances_customer on Customer {
    id
    balances {
      currency
      amount
    }
  }
`);

/** What the customer is owed; nothing if that is nothing. */
export function CustomerBalances({
  customer,
}: {
  customer: FragmentType<typeof CustomerBalances_customer>;
}) {
  const { balances } = readFragment(CustomerBalances_customer, customer);
  return balances.map(({ currency, amount }) => (
    <p key={currency} className={styles.balance}>
      Balance: <Money amount={amount} currency={currency} />. It is deducted from the next invoices.
    </p>
  ));
}
