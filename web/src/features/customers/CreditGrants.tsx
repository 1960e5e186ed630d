/** Grants of credit on a meter: each cell shows what becomes of one. */
import { graphql } from '../../api/generated';
import type { CreditGrants_MeterFragment } from '../../api/generated/graphql';
import { share } from '../../format/decimals';
import { Badge, type Tone } from '../../ui/Badge';
import { Quantity, Time } from '../../ui/Figures';
import { Progress } from '../../ui/Progress';
import styles from './Credit.module.css';
import { type GrantState, grantState, isUsable } from './grants';

export const CreditGrants_meter = graphql(`
  fragment CreditGrants_meter on CustomerMeter {
    id
    meter {
      id
      name
      unit
    }
    grants(last: 50) {
      nodes {
        id
        units
        remaining
        priority
        effectiveAt
        expiresAt
        rollsOver
        reason
        createdAt
        voidedAt
        voidReason
        benefit {
          id
          description
        }
      }
    }
  }
`);

export type Grant = CreditGrants_MeterFragment['grants']['nodes'][number];

const STATES: Record<GrantState, { text: string; tone: Tone }> = {
  active: { text: 'Active', tone: 'good' },
  coming: { text: 'Coming', tone: 'accent' },
  expired: { text: 'Expired', tone: 'neutral' },
  used: { text: 'Used up', tone: 'neutral' },
  voided: { text: 'Voided', tone: 'warn' },
};

export function nameOf({ benefit, reason }: Grant): string {
  return benefit?.description ?? reason ?? '';
}

export function StateBadge({ grant, now }: { grant: Grant; now: number }) {
  const { text, tone } = STATES[grantState(grant, now)];
  return <Badge tone={tone}>{text}</Badge>;
}

/** How much is left of it, with a bar while it can be used. */
export function RemainingCell({ grant, now }: { grant: Grant; now: number }) {
  return (
    <div className={styles.bar}>
      <Quantity value={grant.remaining} />
      {isUsable(grant, now) && (
        <Progress label={`Left of ${nameOf(grant)}`} value={share(grant.remaining, grant.units)} />
      )}
    </div>
  );
}

export function ExpiresCell({ grant: { expiresAt, rollsOver } }: { grant: Grant }) {
  if (expiresAt) {
    return <Time at={expiresAt} />;
  }
  return rollsOver ? 'Never' : 'With its period';
}
