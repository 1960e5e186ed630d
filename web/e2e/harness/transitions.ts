import type { Page } from '@playwright/test';

/**
 * Waits until colors have changed: half-way, their contrast is too low.
 *
 * What is folded away is not drawn, so its transitions stand still.
 */
export async function transitionsEnd(page: Page): Promise<void> {
  await page.evaluate(() => {
    const isDrawn = ({ effect }: Animation) =>
      effect instanceof KeyframeEffect && effect.target?.checkVisibility() === true;
    const transitions = document
      .getAnimations()
      .filter((each) => each instanceof CSSTransition && isDrawn(each));
    return Promise.allSettled(transitions.map(({ finished }) => finished)).then(() => {});
  });
}
