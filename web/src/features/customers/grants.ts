/** What becomes of grants of credit, and which of them usage is paid from first. */
import { sign } from '../../format/decimals';

export interface Granted {
  remaining: string;
  priority: number;
  effectiveAt: string;
  createdAt: string;
  expiresAt?: string | null;
  voidedAt?: string | null;
}

export type GrantState = 'coming' | 'active' | 'expired' | 'used' | 'voided';

/** `now` is in milliseconds. */
export function grantState(grant: Granted, now: number): GrantState {
  if (grant.voidedAt) {
    return 'voided';
  }
  if (grant.expiresAt && Date.parse(grant.expiresAt) <= now) {
    return 'expired';
  }
  if (sign(grant.remaining) <= 0) {
    return 'used';
  }
  return Date.parse(grant.effectiveAt) > now ? 'coming' : 'active';
}

/** Whether usage can be paid from it, now or later. */
export function isUsable(grant: Granted, now: number): boolean {
  const state = grantState(grant, now);
  return state === 'active' || state === 'coming';
}

/** First those that can be used, in the order in which usage is paid; then the others, latest first. */
export function inOrder<Grant extends Granted>(grants: readonly Grant[], now: number): Grant[] {
  const usable = grants.filter((grant) => isUsable(grant, now));
  const others = grants.filter((grant) => !isUsable(grant, now));
  usable.sort(
    (a, b) =>
      a.priority - b.priority ||
      compareNumbers(endOf(a), endOf(b)) ||
      Date.parse(a.createdAt) - Date.parse(b.createdAt),
  );
  return [...usable, ...others.reverse()];
}

function endOf({ expiresAt }: Granted): number {
  return expiresAt ? Date.parse(expiresAt) : Number.POSITIVE_INFINITY;
}

/** Never NaN: two that do not expire are equal. */
function compareNumbers(a: number, b: number): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
