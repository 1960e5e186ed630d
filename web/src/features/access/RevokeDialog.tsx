import { useForm } from 'react-hook-form';
import { graphql } from '../../api/generated';
import { RelativeTime } from '../../ui/Figures';
import { showToast } from '../../ui/Toast';
import { DialogForm } from '../forms/Form';
import { TextInput } from '../forms/fields';
import { useSubmission } from '../forms/useSubmission';

const TokenRevoke = graphql(`
  mutation TokenRevoke($input: AccessTokenRevokeInput!) {
    accessTokenRevoke(input: $input) {
      accessToken {
        id
        revokedAt
      }
      userErrors {
        code
        message
        path
      }
    }
  }
`);

export interface RevocableToken {
  id: string;
  name: string;
  lastUsedAt?: string | null;
}

/** Programs may depend on a token, so its name is typed before it goes. */
export function RevokeDialog({
  token: { id, name, lastUsedAt },
  isOwn,
  onClose,
}: {
  token: RevocableToken;
  /** It is what the browser is signed in with. */
  isOwn: boolean;
  onClose(): void;
}) {
  const form = useForm({ defaultValues: { name: '' } });
  const submission = useSubmission({
    form,
    mutation: TokenRevoke,
    input: (values, _key, refuse) => {
      if (values.name.trim() !== name.trim()) {
        refuse('name', 'This is not the token’s name.');
      }
      return { id };
    },
    answer: (data) => data.accessTokenRevoke,
    onDone: () => {
      showToast(`${name} is revoked.`);
      onClose();
    },
  });
  return (
    <DialogForm
      title={`Revoke ${name}?`}
      form={form}
      submission={submission}
      action="Revoke token"
      onCancel={onClose}
      isDanger
      isQuestion
    >
      <p>
        Requests with this token will be refused, and every session that it opened ends, in
        dashboards and in customer portals. This cannot be undone.
      </p>
      <p>
        {lastUsedAt ? (
          <>
            It was last used <RelativeTime at={lastUsedAt} />.
          </>
        ) : (
          'It has never been used.'
        )}{' '}
        To replace a token, create the new one first, and revoke the old one once nothing uses it.
      </p>
      {isOwn && (
        <p>
          <strong>You are signed in with this token, and will be signed out.</strong>
        </p>
      )}
      <TextInput
        name="name"
        label="Type the token’s name to confirm"
        hint={<bdi>{name}</bdi>}
        autoComplete="off"
        spellCheck={false}
        autoFocus
      />
    </DialogForm>
  );
}
