import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import type { CustomerSubscriptionChangeInput } from '../../api/generated/graphql';
import { problemOf } from '../../api/problems';
import { sign } from '../../format/decimals';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Quantity, Time } from '../../ui/Figures';
import { Card, KeyValue, KeyValues } from '../../ui/Surface';
import { useAgain } from '../../ui/useAgain';
import { useNow } from '../../ui/useNow';
import { useSettled } from '../../ui/useSettled';
import { InvoiceLines } from '../invoices/InvoiceLines';
import styles from './Subscription.module.css';

const ChangePreviewDocument = graphql(`
  query ChangePreview($input: CustomerSubscriptionChangeInput!) {
    subscriptionChangePreview(input: $input) {
      currency
      total
      nextPeriodEnd
      lines {
        ...InvoiceLines_line
      }
      creditChanges {
        units
        meter {
          id
          name
          unit
        }
      }
    }
  }
`);

/** After the last key. */
const PAUSE = 300;

/** What a change would make if it were made now, as the API computes it. */
export function ChangePreview({
  input,
  isScheduled,
  trialEndsAt,
}: {
  input: CustomerSubscriptionChangeInput;
  /** The subscription has not started. */
  isScheduled: boolean;
  trialEndsAt: string | null | undefined;
}) {
  const now = useNow();
  const question = useSettled(JSON.stringify(input), PAUSE);
  const asked = JSON.parse(question) as CustomerSubscriptionChangeInput;
  const [{ data, error, fetching, operation }, again] = useQuery({
    query: ChangePreviewDocument,
    variables: { input: asked },
    requestPolicy: 'network-only',
  });
  const isAsking = fetching || question !== JSON.stringify(input);
  // The less time is left, the less it costs.
  useAgain(again, now);
  if (error) {
    const problem = problemOf(error);
    return (
      <ErrorPanel
        problem={
          problem.kind === 'refused' ? { ...problem, title: 'This change can’t be made' } : problem
        }
      />
    );
  }
  const preview = data?.subscriptionChangePreview;
  if (!preview) {
    return <p role="status">Computing what the change costs…</p>;
  }
  const { lines, currency, total, creditChanges, nextPeriodEnd } = preview;
  // While another one is computed, the latest is shown as what it is.
  const { when } = operation?.variables.input ?? asked;
  const isNow = when === 'NOW' && !isScheduled;
  return (
    <div className={styles.preview} aria-busy={isAsking || undefined}>
      <Card title={headingOf(isNow, isScheduled)} flush>
        {lines.length > 0 && <InvoiceLines {...{ lines, currency, total, trialEndsAt }} />}
        <div className={styles.outcome}>
          {lines.length === 0 && <p>Nothing is charged.</p>}
          {total < 0 && <p>The customer’s next invoices use up what this one gives back.</p>}
          <KeyValues>
            {creditChanges.map(({ meter, units }) => (
              <KeyValue key={meter.id} name={`Credit of ${meter.name}`}>
                {sign(units) > 0 && '+'}
                <Quantity value={units} unit={meter.unit ?? null} />
              </KeyValue>
            ))}
            <KeyValue name={isNow ? 'Period ends' : 'First period ends'}>
              <Time at={nextPeriodEnd} />
            </KeyValue>
          </KeyValues>
        </div>
      </Card>
    </div>
  );
}

function headingOf(isNow: boolean, isScheduled: boolean): string {
  if (isScheduled) {
    return 'Invoiced when it starts';
  }
  return isNow ? 'Invoiced now' : 'Invoiced then, with the usage so far';
}
