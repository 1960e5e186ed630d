import { type FormEvent, useState } from 'react';
import type { Problem } from '../api/problems';
import { Button } from '../ui/Button';
import { ErrorPanel } from '../ui/ErrorPanel';
import { TextField } from '../ui/Field';
import { Logo } from './Logo';
import styles from './SignIn.module.css';

export function SignIn({
  problem,
  onSignIn,
}: {
  problem: Problem | null;
  onSignIn(token: string): Promise<Problem | null>;
}) {
  const [token, setToken] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [isMissing, setMissing] = useState(false);
  const isWrong = problem?.kind === 'signed-out';

  async function submit(event: FormEvent) {
    event.preventDefault();
    const secret = token.trim();
    setMissing(secret === '');
    if (secret === '' || isBusy) {
      return;
    }
    setBusy(true);
    await onSignIn(secret);
    setBusy(false);
  }

  return (
    <main className={styles.page}>
      <form className={styles.form} onSubmit={submit} noValidate>
        <Logo />
        <h1>Sign in</h1>
        {problem && !isWrong && <ErrorPanel problem={problem} />}
        <TextField
          label="Access token"
          type="password"
          name="token"
          autoComplete="current-password"
          spellCheck={false}
          autoFocus
          placeholder="mg_…"
          value={token}
          error={errorText(isMissing, isWrong)}
          hint="Your browser does not store it. You stay signed in for twelve hours."
          onChange={(event) => setToken(event.target.value)}
        />
        <Button type="submit" look="primary" busy={isBusy}>
          Sign in
        </Button>
        <p className={styles.help}>
          An administrator creates tokens with <code>metergraph token create</code>. On your own
          machine, <code>make run</code> prints a link that signs you in.
        </p>
      </form>
    </main>
  );
}

function errorText(isMissing: boolean, isWrong: boolean): string | undefined {
  if (isMissing) {
    return 'Enter an access token.';
  }
  return isWrong ? 'This token is unknown, revoked or expired.' : undefined;
}
