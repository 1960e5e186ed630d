import type { TypedDocumentNode } from '@urql/core';
import { type ReactNode, useRef, useState } from 'react';
import { useClient } from 'urql';
import { type Problem, problemOf } from '../../api/problems';
import { Button } from '../../ui/Button';
import { Dialog } from '../../ui/Dialog';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Stack } from '../../ui/Surface';
import type { UserError } from './failures';

/** Asks before what may not be undone, or has consequences; names the thing. */
export function Confirm<Data, Input extends object>({
  title,
  action,
  mutation,
  input,
  answer,
  isDanger = true,
  onDone,
  onClose,
  children,
}: {
  title: string;
  /** What its button says. */
  action: string;
  mutation: TypedDocumentNode<Data, { input: Input }>;
  input: Input;
  answer(data: Data): { userErrors: readonly UserError[] };
  isDanger?: boolean;
  onDone(data: Data): void;
  onClose(): void;
  /** What happens. */
  children: ReactNode;
}) {
  const client = useClient();
  const isBusy = useRef(false);
  const [isSending, setSending] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);

  async function send() {
    if (isBusy.current) {
      return;
    }
    isBusy.current = true;
    setSending(true);
    setProblem(null);
    const { data, error } = await client.mutation(mutation, { input });
    isBusy.current = false;
    setSending(false);
    if (data === undefined) {
      setProblem(error ? problemOf(error) : null);
      return;
    }
    const { userErrors } = answer(data);
    if (userErrors.length > 0) {
      const advice = userErrors.map(({ message }) => message).join(' ');
      setProblem({ kind: 'refused', title: 'This can’t be done', advice });
      return;
    }
    onClose();
    onDone(data);
  }

  return (
    <Dialog
      title={title}
      onClose={onClose}
      actions={
        <>
          <Button onClick={onClose} autoFocus>
            Cancel
          </Button>
          <Button look={isDanger ? 'danger' : 'primary'} busy={isSending} onClick={send}>
            {action}
          </Button>
        </>
      }
    >
      <Stack>
        {children}
        {problem && <ErrorPanel problem={problem} />}
      </Stack>
    </Dialog>
  );
}
