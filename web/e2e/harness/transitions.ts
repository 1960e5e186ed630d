import type { Page } from '@playwright/test';

/** Waits until colors have changed: half-way, their contrast is too low. */
export async function transitionsEnd(page: Page): Promise<void> {
  await page.evaluate(() => {
    const transitions = document.getAnimations().filter((each) => each instanceof CSSTransition);
    return Promise.allSettled(transitions.map(({ finished }) => finished)).then(() => {});
  });
}
