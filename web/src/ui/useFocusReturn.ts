/** Where the focus goes when a dialog is over, also if what opened it is gone by then, or later. */
import { useLayoutEffect, useState } from 'react';

const CONTROLS = 'button:not([disabled]), a[href], input:not([disabled]), select, textarea';
const HEADINGS = 'h1, h2, h3';
const PARTS = 'section, dialog, [role="dialog"], main';

/**
 * Gives the focus back when the component goes: to what had it before. If that is gone, to its row,
 * to the row in its place, or to the heading of the nearest part of the page.
 *
 * A list may only lose a row once it has been asked for again, so this lasts until somebody moves the
 * focus.
 */
export function useFocusReturn(): void {
  // Before the first field of the dialog takes the focus.
  const [places] = useState(placesNearFocus);
  useLayoutEffect(() => {
    open.push(places);
    return () => {
      open.splice(open.indexOf(places), 1);
      keepFocus(places);
    };
  }, [places]);
}

/** Where the focus can go, the best first. Another answer whenever the page is another. */
type Places = () => (Element | null | undefined)[];

/** Those of the dialogs that are open: one may open another, or make way for it. */
const open: Places[] = [];

function placesNearFocus(): Places {
  const opener = openerIn(document.activeElement);
  if (opener === null || opener === document.body) {
    return () => [];
  }
  const around: Element[] = [];
  for (let each: Element | null = opener; each !== null; each = each.parentElement) {
    around.push(each);
  }
  const row = opener.closest('tr, li');
  const rows = row?.parentElement;
  const place = row && rows ? [...rows.children].indexOf(row) : 0;
  const before = open.at(-1);
  return () => [
    opener,
    lastControl(row),
    lastControl(
      row?.isConnected ? neighbour(row) : (rows?.children[place] ?? rows?.lastElementChild),
    ),
    ...around.filter((each) => each.matches(PARTS)).map((part) => part.querySelector(HEADINGS)),
    ...(before?.() ?? [document.querySelector('h1')]),
  ];
}

/** A menu goes when one of its items opens a dialog; the button that opens the menu stays. */
function openerIn(focused: Element | null): Element | null {
  const menu = focused?.closest('[role="menu"]');
  const button = menu?.getAttribute('aria-labelledby')?.split(' ')[0];
  return button ? document.getElementById(button) : focused;
}

function neighbour(row: Element): Element | null {
  return row.nextElementSibling ?? row.previousElementSibling;
}

/** Where a row has its buttons. */
function lastControl(row: Element | null | undefined): Element | undefined {
  return row ? [...row.querySelectorAll(CONTROLS)].at(-1) : undefined;
}

let stop = () => {};

function keepFocus(places: Places): void {
  stop();
  const observer = new MutationObserver(() => {
    if (document.activeElement === null || document.activeElement === document.body) {
      places().some(takesFocus);
    }
  });
  const onFocus = ({ target }: Event) => {
    if (!places().includes(target as Element)) {
      stop();
    }
  };
  stop = () => {
    observer.disconnect();
    document.removeEventListener('focusin', onFocus);
    document.removeEventListener('pointerdown', stop);
  };
  observer.observe(document.body, {
    childList: true,
    subtree: true,
    // Until these are gone, nothing outside of a dialog takes the focus.
    attributeFilter: ['inert', 'aria-hidden'],
  });
  document.addEventListener('focusin', onFocus);
  document.addEventListener('pointerdown', stop);
}

function takesFocus(element: Element | null | undefined): boolean {
  if (!(element instanceof HTMLElement || element instanceof SVGElement)) {
    return false;
  }
  if (element.matches(HEADINGS)) {
    element.tabIndex = -1;
  }
  element.focus();
  return document.activeElement === element;
}
