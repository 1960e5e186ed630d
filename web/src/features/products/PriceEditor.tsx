import { useState } from 'react';
import { useFormContext, useWatch } from 'react-hook-form';
import type { MeteredPricing, RoundingMode } from '../../api/generated/graphql';
import { Button } from '../../ui/Button';
import type { Option } from '../../ui/Field';
import { Card } from '../../ui/Surface';
import { Chosen } from '../forms/choices';
import { CheckInput, ChoiceInput, FieldMessage, Row, TextInput } from '../forms/fields';
import { MeterPicker, meterChoice } from '../meters/MeterPicker';
import { NewMeterDialog } from '../meters/NewMeterDialog';
import { PriceExamples } from './PriceExamples';
import styles from './Product.module.css';
import { draftPrice, type PriceValues, type ProductValues } from './productValues';
import { RatesTable } from './RatesTable';
import { countOf, every, type Recurrence, within } from './recurrence';
import { TiersTable } from './TiersTable';

const PRICINGS: Option<MeteredPricing>[] = [
  { value: 'PER_UNIT', label: 'Per unit: every unit costs the same' },
  { value: 'GRADUATED', label: 'Graduated: each tier prices its own units' },
  { value: 'VOLUME', label: 'Volume: the tier reached prices all units' },
  { value: 'PACKAGE', label: 'Package: every started package costs the same' },
];

const ROUNDINGS: Option<RoundingMode>[] = [
  { value: 'NONE', label: 'Not rounded' },
  { value: 'UP', label: 'Up: every started unit counts' },
  { value: 'DOWN', label: 'Down: complete units count' },
  { value: 'HALF_UP', label: 'To the nearest' },
];

/** One price of a product. */
export function PriceEditor({
  place,
  onRemove,
  canMakeMeters,
}: {
  place: number;
  onRemove: (() => void) | null;
  canMakeMeters: boolean;
}) {
  const path = `prices.${place}`;
  const { control } = useFormContext<ProductValues>();
  const [price, currency, recurringInterval, intervalCount, usageInterval] = useWatch({
    control,
    name: [`prices.${place}`, 'currency', 'recurringInterval', 'intervalCount', 'usageInterval'],
  });
  const product = { recurringInterval, intervalCount: countOf(intervalCount) };
  const usage = usageInterval ? { recurringInterval: usageInterval, intervalCount: 1 } : product;
  return (
    <Card
      title={price.kind === 'fixed' ? 'Fixed price' : 'Metered price'}
      tools={
        onRemove && (
          <Button small onClick={onRemove}>
            Remove
          </Button>
        )
      }
    >
      <div className={styles.price} data-field={path}>
        {price.kind === 'fixed' ? (
          <Row>
            <TextInput
              name={`${path}.fixed.amount`}
              label={`Amount, ${currency}`}
              hint={`Charged in advance, ${every(product)}.`}
              inputMode="decimal"
              autoComplete="off"
              placeholder="20.00"
            />
          </Row>
        ) : (
          <Metered path={`${path}.metered`} {...{ currency, usage, canMakeMeters }} />
        )}
        <FieldMessage name={path} />
      </div>
    </Card>
  );
}

function Metered({
  path,
  currency,
  usage,
  canMakeMeters,
}: {
  path: string;
  currency: string;
  usage: Recurrence;
  canMakeMeters: boolean;
}) {
  const metered = useWatch({ name: path }) as PriceValues['metered'];
  const { pricing } = metered;
  return (
    <>
      <MeterChoice path={`${path}.meterId`} canMake={canMakeMeters} />
      <ChoiceInput
        name={`${path}.pricing`}
        label="Pricing"
        hint={`Charged in arrears, ${every(usage)}, for the units that the meter counted, less credit.`}
        options={PRICINGS}
      />
      {pricing === 'PER_UNIT' && (
        <Row>
          <AmountInput name={`${path}.unitAmount`} label={`Price of a unit, ${currency}`} isExact />
        </Row>
      )}
      {pricing === 'PER_UNIT' && (
        <RatesTable
          path={`${path}.rates`}
          meterId={metered.meterId?.key ?? null}
          currency={currency}
        />
      )}
      {(pricing === 'GRADUATED' || pricing === 'VOLUME') && (
        <>
          <TiersTable path={`${path}.tiers`} currency={currency} />
          <CheckInput
            name={`${path}.billsFlatAmountAtZero`}
            label="Charge the first tier’s flat fee without usage too"
          />
        </>
      )}
      {pricing === 'PACKAGE' && (
        <Row>
          <TextInput
            name={`${path}.packageSize`}
            label="Units in a package"
            inputMode="decimal"
            autoComplete="off"
            placeholder="1000"
          />
          <AmountInput name={`${path}.packageAmount`} label={`Price of a package, ${currency}`} />
        </Row>
      )}
      <Conversion path={`${path}.conversion`} isRounded={metered.conversion.round !== 'NONE'} />
      <Limits path={path} currency={currency} usage={usage} />
      <PriceExamples price={draftPrice(metered, currency)} unit={metered.meterId?.detail ?? null} />
    </>
  );
}

function AmountInput({
  name,
  label,
  isExact = false,
}: {
  name: string;
  label: string;
  isExact?: boolean;
}) {
  return (
    <TextInput
      name={name}
      label={label}
      inputMode="decimal"
      autoComplete="off"
      placeholder={isExact ? '0.000004' : '5.00'}
      {...(isExact && { hint: 'As many decimals as you need.' })}
    />
  );
}

function Limits({ path, currency, usage }: { path: string; currency: string; usage: Recurrence }) {
  return (
    <Row>
      <TextInput
        name={`${path}.capAmount`}
        label={`Maximum, ${currency} (optional)`}
        hint={`The most that usage can cost ${within(usage)}.`}
        inputMode="decimal"
        autoComplete="off"
        placeholder="No limit"
      />
      <TextInput
        name={`${path}.minimumAmount`}
        label={`Minimum, ${currency} (optional)`}
        hint={`Charged ${within(usage)} if usage costs less, or if there is none.`}
        inputMode="decimal"
        autoComplete="off"
        placeholder="No minimum"
      />
    </Row>
  );
}

/** From the units that the meter counts to those that have a price. */
function Conversion({ path, isRounded }: { path: string; isRounded: boolean }) {
  return (
    <Row>
      <TextInput
        name={`${path}.divideBy`}
        label="Divide units by (optional)"
        hint="For a price of a million tokens, enter 1,000,000. Prices and tiers are in the result."
        inputMode="decimal"
        autoComplete="off"
        placeholder="1"
      />
      <ChoiceInput name={`${path}.round`} label="Round the result" options={ROUNDINGS} />
      {isRounded && (
        <TextInput
          name={`${path}.decimals`}
          label="To decimals"
          inputMode="numeric"
          autoComplete="off"
        />
      )}
    </Row>
  );
}

function MeterChoice({ path, canMake }: { path: string; canMake: boolean }) {
  const { setValue } = useFormContext();
  const [isMaking, setMaking] = useState(false);
  return (
    <div className={styles.picking}>
      <Chosen as={MeterPicker} name={path} label="Meter" />
      {canMake && <Button onClick={() => setMaking(true)}>New meter</Button>}
      {isMaking && (
        <NewMeterDialog
          onCreated={(meter) => setValue(path, meterChoice(meter), { shouldDirty: true })}
          onClose={() => setMaking(false)}
        />
      )}
    </div>
  );
}
