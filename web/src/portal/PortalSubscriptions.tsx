import { useState } from 'react';
import { useQuery } from 'urql';
import { graphql } from '../api/generated';
import { problemOf } from '../api/problems';
import { Button } from '../ui/Button';
import { ErrorPanel } from '../ui/ErrorPanel';
import { useAgain } from '../ui/useAgain';
import { SubscriptionCard } from './SubscriptionCard';

const PortalSubscriptionsDocument = graphql(`
  query PortalSubscriptions($first: Int!) {
    viewer {
      id
      subscriptions(first: $first, includeEnded: false) {
        nodes {
          id
          ...SubscriptionCard_subscription
        }
        pageInfo {
          hasNextPage
        }
      }
    }
  }
`);

const STEP = 10;
/** The API's largest page. */
const MOST = 100;

/** The subscriptions that have not ended; all that are shown follow the usage when it has `moved`. */
export function PortalSubscriptions({ moved }: { moved: number }) {
  const [first, setFirst] = useState(STEP);
  const [{ data, error, fetching, stale }, again] = useQuery({
    query: PortalSubscriptionsDocument,
    variables: { first },
  });
  const refresh = () => again({ requestPolicy: 'network-only' });
  useAgain(refresh, moved);
  const { nodes = [], pageInfo } = data?.viewer?.subscriptions ?? {};
  return (
    <>
      {error && <ErrorPanel problem={problemOf(error)} onRetry={refresh} />}
      {nodes.map((subscription) => (
        <SubscriptionCard key={subscription.id} subscription={subscription} />
      ))}
      {pageInfo?.hasNextPage &&
        (first < MOST ? (
          <Button busy={fetching || stale} onClick={() => setFirst(first + STEP)}>
            Show more subscriptions
          </Button>
        ) : (
          <p>These are your first {MOST} subscriptions.</p>
        ))}
    </>
  );
}
