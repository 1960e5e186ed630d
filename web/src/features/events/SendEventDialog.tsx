import { useForm } from 'react-hook-form';
import { useQuery } from 'urql';
import { graphql } from '../../api/generated';
import { showToast } from '../../ui/Toast';
import { DialogForm } from '../forms/Form';
import { AreaInput, SuggestedInput } from '../forms/fields';
import { inexactNumber, jsonProblem } from '../forms/json';
import { type Refuse, type Submission, useSubmission } from '../forms/useSubmission';

const EventSend = graphql(`
  mutation EventSend($input: EventsIngestInput!) {
    eventsIngest(input: $input) {
      inserted
      userErrors {
        code
        message
        path
      }
    }
  }
`);

const EventSuggestions = graphql(`
  query EventSuggestions {
    eventNames {
      name
    }
    customers(last: 50) {
      nodes {
        id
        externalId
      }
    }
  }
`);

interface Values {
  name: string;
  externalCustomerId: string;
  metadata: string;
}

/** One event, to try a meter with. It counts like any other. */
export function SendEventDialog({ onClose }: { onClose(): void }) {
  const [{ data }] = useQuery({ query: EventSuggestions });
  const form = useForm<Values>({
    defaultValues: { name: '', externalCustomerId: '', metadata: '{\n  \n}' },
  });
  const submission: Submission = useSubmission({
    form,
    mutation: EventSend,
    input: (values, key, refuse) => ({
      events: [
        {
          name: values.name,
          externalCustomerId: values.externalCustomerId,
          // Sent again, it is the same event.
          externalId: `dashboard-${key}`,
          metadata: readMetadata(values.metadata, refuse, submission.formRef.current),
        },
      ],
    }),
    at: (path) => (path[0] === 'events' ? path.slice(2) : path),
    answer: (answer) => answer.eventsIngest,
    onDone: (_answer, { name }) => {
      showToast(`${name} is stored, and will be counted in a moment.`);
      onClose();
    },
  });
  return (
    <DialogForm
      title="Send a test event"
      form={form}
      submission={submission}
      action="Send event"
      onCancel={onClose}
    >
      <p>It is stored and billed like any other event, and cannot be deleted.</p>
      <SuggestedInput
        name="name"
        label="Event name"
        placeholder="ai_usage"
        options={data?.eventNames.map(({ name }) => name) ?? []}
      />
      <SuggestedInput
        name="externalCustomerId"
        label="External customer ID"
        hint="A new ID creates a customer."
        placeholder="acme"
        options={(data?.customers.nodes ?? []).flatMap(({ externalId }) => externalId ?? [])}
      />
      <AreaInput
        name="metadata"
        label="Metadata"
        hint="A JSON object."
        isCode
        spellCheck={false}
        autoComplete="off"
      />
    </DialogForm>
  );
}

function readMetadata(
  text: string,
  refuse: Refuse,
  form: HTMLFormElement | null,
): Record<string, unknown> {
  const problem = jsonProblem(text);
  if (problem !== null) {
    const { at, line, column } = problem;
    refuse('metadata', `This is not valid JSON: see line ${line}, column ${column}.`);
    form?.querySelector('textarea')?.setSelectionRange(at, at + 1);
    return {};
  }
  const inexact = inexactNumber(text);
  if (inexact !== null) {
    refuse(
      'metadata',
      `A browser cannot send ${inexact} exactly. Use fewer digits, or send the event from a program.`,
    );
    return {};
  }
  const value: unknown = JSON.parse(text);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    refuse('metadata', 'Metadata is a JSON object: keys and values in { }.');
    return {};
  }
  return value as Record<string, unknown>;
}
