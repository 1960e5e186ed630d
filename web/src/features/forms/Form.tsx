/** Forms: on a page of their own, or in a dialog before another. */

import { useBlocker } from '@tanstack/react-router';
import { type ComponentType, type ReactNode, useState } from 'react';
import { Dialog as AriaDialog, Heading, Modal, ModalOverlay } from 'react-aria-components';
import { type FieldValues, FormProvider, type UseFormReturn } from 'react-hook-form';
import { Button } from '../../ui/Button';
import { classes } from '../../ui/classes';
import { Dialog } from '../../ui/Dialog';
import dialogStyles from '../../ui/Dialog.module.css';
import { ErrorPanel } from '../../ui/ErrorPanel';
import { Icon } from '../../ui/Icon';
import { useFocusReturn } from '../../ui/useFocusReturn';
import styles from './Forms.module.css';
import type { Submission } from './useSubmission';

interface FormProps<Values extends FieldValues> {
  form: UseFormReturn<Values>;
  submission: Submission;
  /** What its button says: what happens. */
  action: string;
  /** What its other button says. */
  cancel?: string;
  onCancel(): void;
  children: ReactNode;
}

/** A form on a page. Whoever leaves with unsaved changes is asked. */
export function PageForm<Values extends FieldValues>({
  form,
  submission,
  action,
  cancel = 'Cancel',
  isIdle = false,
  onCancel,
  layout: Layout = Page,
  children,
}: FormProps<Values> & {
  /** There is nothing to send, nor to discard. */
  isIdle?: boolean;
  layout?: ComponentType<{ children: ReactNode }>;
}) {
  const { isDirty } = form.formState;
  return (
    <FormProvider {...form}>
      <form ref={submission.formRef} onSubmit={submission.onSubmit} noValidate>
        <Layout>
          {children}
          <Refused submission={submission} />
          <div className={styles.actions}>
            <Button type="submit" look="primary" busy={submission.isSending} disabled={isIdle}>
              {action}
            </Button>
            <Button onClick={onCancel} disabled={isIdle}>
              {cancel}
            </Button>
          </div>
        </Layout>
      </form>
      <Leaving isDirty={isDirty} isDone={submission.isDone} />
    </FormProvider>
  );
}

/** Lines that are not too long to read. */
function Page({ children }: { children: ReactNode }) {
  return <div className={styles.page}>{children}</div>;
}

/** What is refused and belongs to no input, or that no answer came. */
function Refused({ submission: { problem, messages } }: { submission: Submission }) {
  const shown =
    problem ??
    (messages.length > 0
      ? { kind: 'refused' as const, title: 'This can’t be saved', advice: messages.join(' ') }
      : null);
  return (
    shown && (
      <div tabIndex={-1} data-form-error className={styles.refused}>
        <ErrorPanel problem={shown} />
      </div>
    )
  );
}

function Leaving({ isDirty, isDone }: { isDirty: boolean; isDone(): boolean }) {
  const blocker = useBlocker({
    // The range and the zone of a page change nothing in its form.
    shouldBlockFn: ({ current, next }) =>
      isDirty && !isDone() && current.pathname !== next.pathname,
    enableBeforeUnload: () => isDirty && !isDone(),
    withResolver: true,
  });
  if (blocker.status !== 'blocked') {
    return null;
  }
  return (
    <Dialog
      title="Discard what you entered?"
      onClose={blocker.reset}
      actions={
        <>
          <Button onClick={blocker.reset} autoFocus>
            Keep editing
          </Button>
          <Button look="danger" onClick={blocker.proceed}>
            Discard
          </Button>
        </>
      }
    >
      <p>It has not been saved.</p>
    </Dialog>
  );
}

/** A form in a dialog. Escape closes it, and asks where something was entered. */
export function DialogForm<Values extends FieldValues>({
  title,
  form,
  submission,
  action,
  onCancel,
  cancel = 'Cancel',
  isDanger = false,
  isQuestion = false,
  isWide = false,
  children,
}: FormProps<Values> & {
  title: string;
  isDanger?: boolean;
  /** Nothing is written in it that could be lost. */
  isQuestion?: boolean;
  isWide?: boolean;
}) {
  const [isAsking, setAsking] = useState(false);
  const { isDirty } = form.formState;
  const close = () => (isDirty && !isQuestion ? setAsking(true) : onCancel());
  return (
    <FormProvider {...form}>
      <FormModal title={title} onClose={close} isWide={isWide}>
        <form
          ref={submission.formRef}
          className={dialogStyles.form}
          onSubmit={submission.onSubmit}
          noValidate
        >
          <div className={classes(dialogStyles.body, styles.dialogBody)}>
            {children}
            <Refused submission={submission} />
          </div>
          <footer className={dialogStyles.foot}>
            {isAsking ? (
              <Discard onKeep={() => setAsking(false)} onDiscard={onCancel} />
            ) : (
              <>
                <Button onClick={close}>{cancel}</Button>
                <Button
                  type="submit"
                  look={isDanger ? 'danger' : 'primary'}
                  busy={submission.isSending}
                >
                  {action}
                </Button>
              </>
            )}
          </footer>
        </form>
      </FormModal>
    </FormProvider>
  );
}

/** A dialog that lists and menus can open before. */
export function FormModal({
  title,
  isWide = false,
  onClose,
  children,
}: {
  title: string;
  isWide?: boolean;
  onClose(): void;
  children: ReactNode;
}) {
  useFocusReturn();
  return (
    <ModalOverlay
      className={styles.overlay ?? ''}
      isOpen
      onOpenChange={(isOpen) => isOpen || onClose()}
    >
      <Modal className={classes(styles.modal, isWide && styles.wide)}>
        <AriaDialog className={styles.dialog ?? ''}>
          <header className={dialogStyles.head}>
            <Heading slot="title" level={2}>
              <bdi>{title}</bdi>
            </Heading>
            <Button look="quiet" small iconOnly aria-label="Close" onClick={onClose}>
              <Icon name="close" size={14} />
            </Button>
          </header>
          {children}
        </AriaDialog>
      </Modal>
    </ModalOverlay>
  );
}

function Discard({ onKeep, onDiscard }: { onKeep(): void; onDiscard(): void }) {
  return (
    <div className={styles.discard} role="alert">
      <span>Discard what you entered?</span>
      <Button onClick={onKeep} autoFocus>
        Keep editing
      </Button>
      <Button look="danger" onClick={onDiscard}>
        Discard
      </Button>
    </div>
  );
}
