import { useForm } from 'react-hook-form';
import { graphql } from '../../api/generated';
import { showToast } from '../../ui/Toast';
import { DialogForm } from '../forms/Form';
import { AreaInput } from '../forms/fields';
import { useSubmission } from '../forms/useSubmission';

const EventsVoid = graphql(`
  mutation EventsVoid($input: EventsVoidInput!) {
    eventsVoid(input: $input) {
      voided
      userErrors {
        code
        message
        path
      }
    }
  }
`);

/** Asks why events are taken out of all numbers, and says what that does. */
export function VoidEventsDialog({
  ids,
  onClose,
  onDone,
}: {
  ids: readonly string[];
  onClose(): void;
  /** After `onClose`. */
  onDone?(): void;
}) {
  const form = useForm({ defaultValues: { reason: '' } });
  const isOne = ids.length === 1;
  const what = isOne ? 'event' : `${ids.length} events`;
  const submission = useSubmission({
    form,
    mutation: EventsVoid,
    input: ({ reason }) => ({ ids: [...ids], reason }),
    answer: (data) => data.eventsVoid,
    onDone: () => {
      showToast(isOne ? 'The event is voided.' : `The ${what} are voided.`);
      onClose();
      onDone?.();
    },
  });
  return (
    <DialogForm
      title={isOne ? 'Void this event?' : `Void ${what}?`}
      form={form}
      submission={submission}
      action={isOne ? 'Void event' : 'Void events'}
      cancel={isOne ? 'Keep event' : 'Keep events'}
      onCancel={onClose}
      isDanger
    >
      <p>
        {isOne ? 'It stays' : 'They stay'} in the list, but no longer {isOne ? 'counts' : 'count'}.
        Usage and credit change at once; the next invoice corrects what has been invoiced. This
        cannot be undone.
      </p>
      <AreaInput name="reason" label="Reason" hint="Shown with the event." rows={2} autoFocus />
    </DialogForm>
  );
}
