import { useEffect, useState } from 'react';
import { Button } from './Button';
import { Icon } from './Icon';
import { showToast } from './Toast';

const SHOWN_FOR = 1500;

/** Puts a text into the clipboard. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) {
      return undefined;
    }
    const timer = setTimeout(setCopied, SHOWN_FOR, false);
    return () => clearTimeout(timer);
  }, [copied]);

  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(true);
    } catch {
      showToast('The browser did not allow copying. Select the text instead.', true);
    }
  }

  return (
    <Button
      look="quiet"
      small
      iconOnly
      aria-label={copied ? 'Copied' : label}
      title={label}
      onClick={copy}
    >
      <Icon name={copied ? 'check' : 'copy'} size={14} />
    </Button>
  );
}
