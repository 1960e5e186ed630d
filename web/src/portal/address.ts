/** Where in the portal one is: the page, or one of its invoices, which has an address of its own. */
import { useCallback, useEffect, useState } from 'react';

const INVOICE = 'invoice';

function invoiceInAddress(): string | null {
  return new URLSearchParams(location.search).get(INVOICE);
}

export function invoiceAddress(id: string): string {
  return `${location.pathname}?${new URLSearchParams({ [INVOICE]: id })}`;
}

/** The invoice that is open, and how to open another; null is the page itself. */
export function useOpenInvoice(): [id: string | null, open: (id: string | null) => void] {
  const [id, setId] = useState(invoiceInAddress);
  useEffect(() => {
    const follow = () => setId(invoiceInAddress());
    addEventListener('popstate', follow);
    return () => removeEventListener('popstate', follow);
  }, []);
  const open = useCallback((next: string | null) => {
    history.pushState(null, '', next === null ? location.pathname : invoiceAddress(next));
    setId(next);
    scrollTo(0, 0);
  }, []);
  return [id, open];
}
