/** Sends a form as a mutation, and puts what the API refuses at the inputs that it names. */
import type { TypedDocumentNode } from '@urql/core';
import { type RefObject, type SubmitEvent, useEffect, useRef, useState } from 'react';
import type { FieldValues, Path, UseFormReturn } from 'react-hook-form';
import { useClient } from 'urql';
import { type Problem, problemOf } from '../../api/problems';
import { placed, type UserError, unreadable } from './failures';
import { newKey } from './keys';

/** Says that an input cannot be written as the API takes it. */
export type Refuse = (field: string, message: string) => void;

export interface SubmissionOptions<Values extends FieldValues, Data, Input extends object> {
  form: UseFormReturn<Values>;
  mutation: TypedDocumentNode<Data, { input: Input }>;
  /** What is sent; the form is not where `refuse` was called. Keep the key over retries. */
  input(values: Values, key: string, refuse: Refuse): Input;
  /** The path of the field that shows what the API says of a path. */
  at?(path: readonly string[]): readonly string[];
  answer(data: Data): { userErrors: readonly UserError[] };
  onDone(data: Data, values: Values): void;
}

export interface Submission {
  formRef: RefObject<HTMLFormElement | null>;
  onSubmit(event?: SubmitEvent<HTMLFormElement>): void;
  isSending: boolean;
  /** No answer, or one that no input can mend. */
  problem: Problem | null;
  /** What is refused and belongs to no input. */
  messages: readonly string[];
  /** Whether what is in the form has been saved; leaving it loses nothing. */
  isDone(): boolean;
}

export function useSubmission<Values extends FieldValues, Data, Input extends object>(
  options: SubmissionOptions<Values, Data, Input>,
): Submission {
  const { form, mutation } = options;
  const client = useClient();
  const formRef = useRef<HTMLFormElement>(null);
  const key = useRef('');
  const isBusy = useRef(false);
  const isDone = useRef(false);
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [messages, setMessages] = useState<readonly string[]>([]);
  const [failures, setFailures] = useState(0);

  // After each refusal, once the messages are there.
  useEffect(() => {
    if (failures > 0) {
      focusFirstError(formRef.current);
    }
  }, [failures]);

  const { isDirty } = form.formState;
  useEffect(() => {
    if (!isDirty) {
      isDone.current = false;
    }
  }, [isDirty]);

  function refuse(errors: readonly UserError[]) {
    const has = (field: string) => elementOf(formRef.current, field) !== null;
    const rest: string[] = [];
    const { at = (path) => path } = options;
    const found = errors.map((error) => ({ ...error, path: at(error.path) }));
    for (const { field, message } of placed(found, has)) {
      if (field === null) {
        rest.push(message);
      } else {
        form.setError(field as Path<Values>, { message });
      }
    }
    setMessages(rest);
    setFailures((count) => count + 1);
  }

  async function send(values: Values) {
    key.current ||= newKey();
    const refused: UserError[] = [];
    const input = options.input(values, key.current, (field, message) => {
      refused.push({ code: 'INVALID', message, path: field.split('.') });
    });
    setProblem(null);
    setMessages([]);
    if (refused.length > 0) {
      refuse(refused);
      return;
    }
    isBusy.current = true;
    setSending(true);
    const { data, error } = await client.mutation(mutation, { input });
    isBusy.current = false;
    setSending(false);
    if (error !== undefined || data === undefined) {
      const misread = unreadable(error?.graphQLErrors[0]?.message ?? '');
      if (misread !== null) {
        refuse([misread]);
        return;
      }
      setProblem(error ? problemOf(error) : null);
      setFailures((count) => count + 1);
      return;
    }
    const { userErrors } = options.answer(data);
    if (userErrors.length > 0) {
      refuse(userErrors);
      return;
    }
    key.current = '';
    isDone.current = true;
    form.reset(values);
    options.onDone(data, values);
  }

  return {
    formRef,
    onSubmit(event) {
      event?.preventDefault();
      event?.stopPropagation();
      if (!isBusy.current) {
        form.clearErrors();
        form.handleSubmit(send)(event);
      }
    },
    isSending,
    problem,
    messages,
    isDone: () => isDone.current,
  };
}

/** The element of a field: its input, or what carries its name in `data-field`. */
function elementOf(form: HTMLFormElement | null, field: string): Element | null {
  const name = CSS.escape(field);
  return form?.querySelector(`[name="${name}"], [data-field="${name}"]`) ?? null;
}

function focusFirstError(form: HTMLFormElement | null) {
  form
    ?.querySelector<HTMLElement>('[aria-invalid="true"]:not([hidden]), [data-form-error]')
    ?.focus();
}
