import { type FragmentType, graphql, readFragment } from '../../api/generated';
import type {
  BenefitChoice_BenefitFragment,
  SimulatedBenefitInput,
} from '../../api/generated/graphql';
import { formatDecimal } from '../../format/decimals';
import { unitAfter } from '../../format/units';
import type { Choice } from '../../ui/aria/Picker';

export const BenefitChoice_benefit = graphql(`
  fragment BenefitChoice_benefit on MeterCreditBenefit {
    id
    description
    units
    rollover
    expiresAfterDays
    rolloverLimit
    perQuantity
    priority
    meter {
      id
      name
      unit
    }
  }
`);

type Benefit = BenefitChoice_BenefitFragment;

/** A chosen benefit, with what it credits to one of the product. */
export interface BenefitChoice extends Choice {
  credits: SimulatedBenefitInput;
}

/** A benefit to choose, with what it grants: 100,000 tokens of AI usage; unused units carry over. */
export function benefitChoice(of: FragmentType<typeof BenefitChoice_benefit>): BenefitChoice {
  const benefit = readFragment(BenefitChoice_benefit, of);
  const { id, description, units, perQuantity, meter } = benefit;
  const unit = meter.unit ? ` ${unitAfter(units, meter.unit)}` : '';
  const each = perQuantity ? ' for each' : '';
  const amount = `${formatDecimal(units)}${unit} of ${meter.name}${each}`;
  return {
    key: id,
    title: description,
    detail: `${amount}; unused units ${unusedUnits(benefit)}`,
    credits: creditsOf(benefit),
  };
}

/** What a benefit credits, as a simulation takes it. */
export function creditsOf({
  meter,
  units,
  rollover,
  priority,
  expiresAfterDays,
  rolloverLimit,
}: Omit<Benefit, 'id' | 'description' | 'perQuantity' | 'meter'> & {
  meter: { id: string };
}): SimulatedBenefitInput {
  return { meterId: meter.id, units, rollover, priority, expiresAfterDays, rolloverLimit };
}

/** What becomes of units that are not used: carry over, up to 500, and expire after 90 days. */
export function unusedUnits({
  rollover,
  rolloverLimit,
  expiresAfterDays,
}: Pick<Benefit, 'rollover' | 'rolloverLimit' | 'expiresAfterDays'>): string {
  const time =
    expiresAfterDays == null
      ? null
      : `expire after ${formatDecimal(String(expiresAfterDays))} ${expiresAfterDays === 1 ? 'day' : 'days'}`;
  if (!rollover) {
    return time ?? 'expire with the period';
  }
  const limit = rolloverLimit == null ? null : `up to ${formatDecimal(rolloverLimit)}`;
  return ['carry over', limit, time].filter((part) => part !== null).join(', ');
}
