/** How the charges of two invoices differ, line by line. */
import type { InvoiceLineKind } from '../../api/generated/graphql';
import { add, type Decimal } from '../../format/decimals';

export interface ChargedLine {
  kind: InvoiceLineKind;
  description: string;
  billableUnits?: Decimal | null;
  amount: number;
  price: { id: string };
}

/** What was charged for something; nothing where an invoice has no such line. */
export interface Charge {
  amount: Decimal;
  /** Of usage only. */
  units: Decimal | null;
}

export interface ComparedCharge {
  key: string;
  description: string;
  before: Charge | null;
  now: Charge | null;
}

/** One row for each price, kind and description: those of the later invoice first, in its order. */
export function comparedCharges(
  before: readonly ChargedLine[],
  now: readonly ChargedLine[],
): ComparedCharge[] {
  const [then, later] = [chargesOf(before), chargesOf(now)];
  return [...new Set([...later.keys(), ...then.keys()])].map((key) => ({
    key,
    description: later.get(key)?.description ?? then.get(key)?.description ?? '',
    before: then.get(key) ?? null,
    now: later.get(key) ?? null,
  }));
}

function chargesOf(lines: readonly ChargedLine[]) {
  const charges = new Map<string, Charge & { description: string }>();
  for (const { kind, description, billableUnits = null, amount, price } of lines) {
    // These are about all prices together.
    const isOfAll = kind === 'BALANCE' || kind === 'DISCOUNT' || kind === 'MINIMUM';
    const key = isOfAll ? kind : `${kind} ${price.id} ${description}`;
    const sofar = charges.get(key);
    charges.set(key, {
      description,
      amount: add(sofar?.amount ?? '0', String(amount)),
      units: billableUnits === null ? null : add(sofar?.units ?? '0', billableUnits),
    });
  }
  return charges;
}
