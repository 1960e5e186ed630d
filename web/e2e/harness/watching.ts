/** When a number appears on a page, by the machine's clock. */
import type { Page } from '@playwright/test';

interface Watching {
  appeared?: Promise<number>;
}

/** Begins to watch for an exact number; `appeared` waits for it. */
export async function watchFor(page: Page, value: string): Promise<void> {
  await page.evaluate((wanted) => {
    (window as Watching).appeared = new Promise((resolve) => {
      const isThere = () => document.querySelector(`data[value="${wanted}"]`) !== null;
      const observer = new MutationObserver(() => {
        if (isThere()) {
          observer.disconnect();
          // Painted with the next frame.
          requestAnimationFrame(() => resolve(Date.now()));
        }
      });
      observer.observe(document.body, {
        subtree: true,
        childList: true,
        characterData: true,
        attributeFilter: ['value'],
      });
    });
  }, value);
}

export function appeared(page: Page): Promise<number> {
  return page.evaluate(
    () => (window as Watching).appeared ?? Promise.reject(new Error('unwatched')),
  );
}
