/** A product's prices as its form has them, and as the API takes them. */
import type {
  BillingPeriods,
  MeteredPriceInput,
  MeteredPricing,
  PriceTierInput,
  ProductPriceInput,
  RecurringInterval,
  RoundingMode,
  UnitConversionInput,
} from '../../api/generated/graphql';
import type { Choice } from '../../ui/aria/Picker';
import { NOT_A_NUMBER, readDecimal, toMinor, toWholeMinor } from '../forms/amounts';
import type { Refuse } from '../forms/useSubmission';
import { wholeInput } from '../forms/whole';
import type { BenefitChoice } from './benefits';

export interface TierValues {
  upTo: string;
  unitAmount: string;
  flatAmount: string;
}

export interface RateValues {
  /** One for each dimension of the meter; empty for any. */
  values: { property: string; value: string }[];
  unitAmount: string;
}

export interface PriceValues {
  kind: 'fixed' | 'metered';
  fixed: { amount: string };
  metered: {
    meterId: Choice | null;
    pricing: MeteredPricing;
    unitAmount: string;
    rates: RateValues[];
    tiers: TierValues[];
    packageAmount: string;
    packageSize: string;
    billsFlatAmountAtZero: boolean;
    capAmount: string;
    minimumAmount: string;
    /** Without a divisor, there is no conversion. */
    conversion: { divideBy: string; round: RoundingMode; decimals: string };
  };
}

export interface ProductValues {
  name: string;
  description: string;
  recurringInterval: RecurringInterval;
  intervalCount: string;
  billingPeriods: BillingPeriods;
  trialDays: string;
  minimumAmount: string;
  /** Empty: by the periods themselves. */
  usageInterval: RecurringInterval | '';
  currency: string;
  prices: PriceValues[];
  benefits: BenefitChoice[];
}

export const newTier = (): TierValues => ({ upTo: '', unitAmount: '', flatAmount: '' });

export const newRate = (dimensions: readonly string[]): RateValues => ({
  values: dimensions.map((property) => ({ property, value: '' })),
  unitAmount: '',
});

export const newPrice = (kind: PriceValues['kind']): PriceValues => ({
  kind,
  fixed: { amount: '' },
  metered: {
    meterId: null,
    pricing: 'PER_UNIT',
    unitAmount: '',
    rates: [],
    tiers: [newTier(), newTier()],
    packageAmount: '',
    packageSize: '',
    billsFlatAmountAtZero: false,
    capAmount: '',
    minimumAmount: '',
    conversion: { divideBy: '', round: 'NONE', decimals: '0' },
  },
});

export const newProduct = (): ProductValues => ({
  name: '',
  description: '',
  recurringInterval: 'MONTH',
  intervalCount: '1',
  billingPeriods: 'FROM_START',
  trialDays: '',
  minimumAmount: '',
  usageInterval: '',
  currency: 'USD',
  prices: [newPrice('fixed')],
  benefits: [],
});

export function intervalsInput(text: string, refuse: Refuse): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1) {
    refuse('intervalCount', 'This is not a whole number above zero.');
  }
  return count;
}

/** The minimum of all metered prices together; null if there is none. */
export function minimumInput(
  { currency, minimumAmount }: Pick<ProductValues, 'currency' | 'minimumAmount'>,
  refuse: Refuse,
): number | null {
  const read = toWholeMinor(minimumAmount, currency);
  if (minimumAmount.trim() === '') {
    return null;
  }
  if ('problem' in read) {
    refuse('minimumAmount', read.problem);
    return null;
  }
  return read.amount;
}

export function pricesInput(
  { currency, prices }: Pick<ProductValues, 'currency' | 'prices'>,
  refuse: Refuse,
): ProductPriceInput[] {
  return prices.map((price, place) => {
    const write = writer(currency, `prices.${place}`, refuse);
    return price.kind === 'fixed'
      ? { fixed: { currency, amount: write.whole('fixed.amount', price.fixed.amount) } }
      : { metered: meteredInput(price.metered, currency, write, refuse, place) };
  });
}

/** A metered price as far as it can be rated: without its meter; null while a number is missing. */
export function draftPrice(
  metered: PriceValues['metered'],
  currency: string,
): MeteredPriceInput | null {
  let isComplete = true;
  const refuse: Refuse = (field) => {
    isComplete &&= field.endsWith('.meterId');
  };
  const price = meteredInput(metered, currency, writer(currency, '', refuse), refuse, 0);
  const sizes = [
    price.packageSize,
    price.conversion?.divideBy,
    ...(price.tiers ?? []).map(({ upTo }) => upTo),
  ];
  return isComplete && sizes.every((size) => size == null || readDecimal(size) !== null)
    ? price
    : null;
}

function meteredInput(
  metered: PriceValues['metered'],
  currency: string,
  write: Writer,
  refuse: Refuse,
  place: number,
): MeteredPriceInput {
  const { meterId, pricing, tiers } = metered;
  if (meterId === null) {
    refuse(`prices.${place}.metered.meterId`, 'Choose a meter.');
  }
  const conversion = conversionInput(metered.conversion, `prices.${place}.metered`, refuse);
  const cap = metered.capAmount.trim();
  const minimum = metered.minimumAmount.trim();
  return {
    currency,
    meterId: meterId?.key ?? '',
    pricing,
    ...(pricing === 'PER_UNIT' && {
      unitAmount: write.exact('metered.unitAmount', metered.unitAmount),
      ...(metered.rates.length > 0 && {
        rates: metered.rates.map(({ values, unitAmount }, index) => ({
          values: values.filter(({ value }) => value !== ''),
          unitAmount: write.exact(`metered.rates.${index}.unitAmount`, unitAmount),
        })),
      }),
    }),
    ...((pricing === 'GRADUATED' || pricing === 'VOLUME') && {
      tiers: tiers.map((tier, index) => tierInput(tier, index, tiers.length, write)),
      ...(metered.billsFlatAmountAtZero && { billsFlatAmountAtZero: true }),
    }),
    ...(pricing === 'PACKAGE' && {
      packageAmount: write.whole('metered.packageAmount', metered.packageAmount),
      packageSize: units(metered.packageSize),
    }),
    ...(conversion && { conversion }),
    ...(cap !== '' && { capAmount: write.whole('metered.capAmount', cap) }),
    ...(minimum !== '' && { minimumAmount: write.whole('metered.minimumAmount', minimum) }),
  };
}

function conversionInput(
  { divideBy, round, decimals }: PriceValues['metered']['conversion'],
  path: string,
  refuse: Refuse,
): UnitConversionInput | null {
  if (divideBy.trim() === '') {
    return null;
  }
  const rounded =
    round === 'NONE' ? 0 : wholeInput(decimals, `${path}.conversion.decimals`, refuse);
  return { divideBy: units(divideBy), round, decimals: rounded ?? 0 };
}

function tierInput(
  { upTo, unitAmount, flatAmount }: TierValues,
  index: number,
  count: number,
  write: Writer,
): PriceTierInput {
  const at = `metered.tiers.${index}`;
  return {
    // The last has no end.
    upTo: index === count - 1 ? null : units(upTo),
    unitAmount: write.exact(`${at}.unitAmount`, unitAmount),
    flatAmount: flatAmount.trim() === '' ? 0 : write.whole(`${at}.flatAmount`, flatAmount),
  };
}

/** What is no number goes as it is, and the API says so. */
function units(text: string): string {
  return readDecimal(text) ?? text;
}

interface Writer {
  whole(field: string, text: string): number;
  exact(field: string, text: string): string;
}

function writer(currency: string, path: string, refuse: Refuse): Writer {
  return {
    whole(field, text) {
      const read = toWholeMinor(text, currency);
      if ('amount' in read) {
        return read.amount;
      }
      refuse(`${path}.${field}`, read.problem);
      return 0;
    },
    exact(field, text) {
      const read = toMinor(text, currency);
      if (read === null) {
        refuse(`${path}.${field}`, NOT_A_NUMBER);
      }
      return read ?? '0';
    },
  };
}

/** Prices have one currency, which the form asks for once. */
export function productField(path: readonly string[]): readonly string[] {
  if (path.at(-1) === 'currency') {
    return ['currency'];
  }
  if (path[3] === 'rates' && path[5] === 'values') {
    // The form has a field for every dimension, the input only those with a value.
    return path.slice(0, 6);
  }
  return path[0] === 'benefitIds' ? ['benefits'] : path;
}
