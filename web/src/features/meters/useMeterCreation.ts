import type { UseFormReturn } from 'react-hook-form';
import { graphql } from '../../api/generated';
import { useSubmission } from '../forms/useSubmission';
import {
  aggregationInput,
  dimensionsInput,
  filterInput,
  formPath,
  type MeterValues,
} from './meterValues';

const MeterCreate = graphql(`
  mutation MeterCreate($input: MeterCreateInput!) {
    meterCreate(input: $input) {
      meter {
        id
        name
        unit
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

export interface CreatedMeter {
  id: string;
  name: string;
  unit?: string | null;
}

export function useMeterCreation(
  form: UseFormReturn<MeterValues>,
  onDone: (meter: CreatedMeter) => void,
) {
  return useSubmission({
    form,
    mutation: MeterCreate,
    input: ({ name, unit, filter, aggregation, dimensions }, idempotencyKey) => ({
      name,
      unit: unit || null,
      filter: filterInput(filter),
      aggregation: aggregationInput(aggregation),
      dimensions: dimensionsInput(dimensions),
      idempotencyKey,
    }),
    at: formPath,
    answer: (data) => data.meterCreate,
    onDone: ({ meterCreate: { meter } }) => meter && onDone(meter),
  });
}
