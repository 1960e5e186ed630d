/** Small line icons. They stand beside words, or in a button that has a label. */

const PATHS = {
  alerts:
    'M8 2.2a3.8 3.8 0 0 0-3.8 3.8c0 3.6-1.4 4.7-1.4 4.7h10.4s-1.4-1.1-1.4-4.7A3.8 3.8 0 0 0 8 2.2Z M6.6 13a1.5 1.5 0 0 0 2.8 0',
  check: 'M3.5 8.5 6.5 11.5 12.5 4.5',
  chevron: 'M4.5 6 8 9.5 11.5 6',
  close: 'M4 4 12 12 M12 4 4 12',
  copy: 'M5.5 5.5h7v7h-7z M3.5 10.5v-7h7',
  customers:
    'M8 8a2.6 2.6 0 1 0 0-5.2A2.6 2.6 0 0 0 8 8Z M3 13.5c.6-2.4 2.5-3.6 5-3.6s4.4 1.2 5 3.6',
  events: 'M2 8h3l2-5 2.5 10 2-5H14',
  external: 'M9.5 3h3.5v3.5 M13 3 7.5 8.5 M11.5 9.5v3.5h-8.5v-8.5h3.5',
  invoices: 'M4 2.5h8v11.5l-2-1.3-2 1.3-2-1.3-2 1.3z M6.5 6h3 M6.5 9h3',
  menu: 'M2.5 4.5h11 M2.5 8h11 M2.5 11.5h11',
  meters: 'M2.5 13V9 M6.2 13V4 M9.8 13V7 M13.5 13V2.5',
  more: 'M3.5 8h.01 M8 8h.01 M12.5 8h.01',
  overview: 'M2.5 2.5h4.5v6h-4.5z M9 2.5h4.5v3.5H9z M9 8h4.5v5.5H9z M2.5 10.5h4.5v3h-4.5z',
  pause: 'M5.5 3.5v9 M10.5 3.5v9',
  play: 'M5 3.5 12 8 5 12.5Z',
  print: 'M4.5 6V2.5h7V6 M4.5 11.5h-2V6h11v5.5h-2 M4.5 9.5h7v4h-7z',
  products: 'M8 2 13.5 5v6L8 14 2.5 11V5z M2.5 5 8 8l5.5-3 M8 8v6',
  search: 'M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9Z M10.3 10.3 14 14',
  settings:
    'M8 10.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4Z M8 1.8v2 M8 12.2v2 M1.8 8h2 M12.2 8h2 M3.6 3.6 5 5 M11 11l1.4 1.4 M3.6 12.4 5 11 M11 5l1.4-1.4',
  subscriptions:
    'M13 6.5A5.2 5.2 0 0 0 3.5 5.3 M3 9.5a5.2 5.2 0 0 0 9.5 1.2 M3.3 2.5v3h3 M12.7 13.5v-3h-3',
  table: 'M2.5 3.5h11v9h-11z M2.5 6.5h11 M2.5 9.5h11 M6.5 6.5v6',
  warning: 'M8 2.5 14 13H2z M8 6.5v3 M8 11.3h.01',
};

export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      strokeWidth="1.5"
      strokeLinecap="round"
      strokeLinejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}
