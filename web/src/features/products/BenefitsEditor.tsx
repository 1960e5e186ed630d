import { useState } from 'react';
import { useController } from 'react-hook-form';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { type Choice, Picker } from '../../ui/aria/Picker';
import { Button } from '../../ui/Button';
import { Icon } from '../../ui/Icon';
import { Card, Stack } from '../../ui/Surface';
import { useSearchText } from '../listing/useSearchText';
import { BenefitDialog } from './BenefitDialog';
import { benefitChoice } from './benefits';
import styles from './Product.module.css';

const BenefitChoices = graphql(`
  query BenefitChoices($query: String) {
    benefits(first: 50, query: $query) {
      nodes {
        id
        ...BenefitChoice_benefit
      }
    }
  }
`);

/** The benefits of a product: some that are there already, and new ones. */
export function BenefitsEditor({ about }: { about: string }) {
  const { field, fieldState } = useController({ name: 'benefits' });
  const chosen = field.value as Choice[];
  const { query, isTyping, onSearch } = useSearchText();
  const [{ data, fetching }] = useQuery({ query: BenefitChoices, variables: { query } });
  const [isMaking, setMaking] = useState(false);
  const others = (data?.benefits.nodes ?? [])
    .map((benefit) => benefitChoice(benefit))
    .filter(({ key }) => !chosen.some((each) => each.key === key));
  const add = (choice: Choice | null) => choice && field.onChange([...chosen, choice]);
  return (
    <Card title="Benefits">
      <Stack>
        <p>{about}</p>
        {chosen.length > 0 && (
          <ul className={styles.benefits} aria-label="Benefits of the product">
            {chosen.map(({ key, title, detail }) => (
              <li key={key}>
                <span>
                  <bdi>{title}</bdi> <span className={styles.detail}>{detail}</span>
                </span>
                <Button
                  look="quiet"
                  small
                  iconOnly
                  aria-label={`Remove ${title}`}
                  title="Remove"
                  onClick={() => field.onChange(chosen.filter((each) => each.key !== key))}
                >
                  <Icon name="close" size={14} />
                </Button>
              </li>
            ))}
          </ul>
        )}
        <div className={styles.picking}>
          <Picker
            // It is empty again after each choice.
            key={chosen.length}
            name="benefits"
            label="Add a benefit"
            error={fieldState.error?.message}
            choices={others}
            chosen={null}
            onChoose={add}
            onSearch={onSearch}
            isSearching={fetching || isTyping}
            nothing="No other benefit"
          />
          <Button onClick={() => setMaking(true)}>New benefit</Button>
        </div>
        {isMaking && <BenefitDialog onCreated={add} onClose={() => setMaking(false)} />}
      </Stack>
    </Card>
  );
}
