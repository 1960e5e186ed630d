import { type FragmentType, graphql, readFragment } from '../api/generated';
import { CustomerUsage } from '../features/usage/usage';
import { share, sign } from '../format/decimals';
import { Quantity } from '../ui/Figures';
import { Progress } from '../ui/Progress';
import styles from './Portal.module.css';

export const MeterBalance_meter = graphql(`
  fragment MeterBalance_meter on CustomerMeter {
    id
    meter {
      id
      name
      unit
    }
    completeThrough
    ...CustomerUsage
  }
`);

const ALMOST = 0.8;

/** What is used of a meter, and how much of the included units is left. */
export function MeterBalance({ meter: of }: { meter: FragmentType<typeof MeterBalance_meter> }) {
  const meter = readFragment(MeterBalance_meter, of);
  const { name, unit } = meter.meter;
  const { consumedUnits, creditedUnits, balance } = readFragment(CustomerUsage, meter);
  const used = share(consumedUnits, creditedUnits);
  const hasCredit = sign(creditedUnits) > 0;
  return (
    <div className={styles.meter}>
      <div className={styles.meterHead}>
        <h3>
          <bdi>{name}</bdi>
        </h3>
        <span>
          <Quantity
            value={consumedUnits}
            unit={unit ?? null}
            completeThrough={meter.completeThrough}
          />{' '}
          used
        </span>
      </div>
      {hasCredit && (
        <>
          <Progress
            label={`Used of what is included: ${name}`}
            value={used}
            tone={used >= 1 ? 'bad' : used >= ALMOST ? 'warn' : undefined}
          />
          <div className={`${styles.meterHead} ${styles.soft}`}>
            <span>
              <Quantity value={creditedUnits} unit={unit ?? null} /> included
            </span>
            <span>
              {sign(balance) < 0 ? (
                'All used'
              ) : (
                <>
                  <Quantity value={balance} unit={unit ?? null} /> left
                </>
              )}
            </span>
          </div>
        </>
      )}
    </div>
  );
}
