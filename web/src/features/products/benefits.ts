import { formatDecimal } from '../../format/decimals';
import { unitAfter } from '../../format/units';
import type { Choice } from '../../ui/aria/Picker';

export interface Benefit {
  id: string;
  description: string;
  units: string;
  rollover: boolean;
  meter: { name: string; unit?: string | null };
}

/** A benefit to choose, with what it grants: 100,000 tokens of AI usage, carried over. */
export function benefitChoice({ id, description, units, rollover, meter }: Benefit): Choice {
  const unit = meter.unit ? ` ${unitAfter(units, meter.unit)}` : '';
  const amount = `${formatDecimal(units)}${unit} of ${meter.name}`;
  return {
    key: id,
    title: description,
    detail: `${amount}, ${rollover ? 'carried over' : 'expiring'}`,
  };
}
