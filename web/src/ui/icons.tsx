// Icons of 16 by 16, drawn for Sonde, in the colour of the text; the marks of status; the logo.
import type { Status } from '../lib/status';

const PATHS = {
  overview: 'M2 8h3l2-5 3 10 2-5h2',
  services: 'M2.5 3.5h11v3.5h-11zM2.5 9h11v3.5h-11zM5 5.2h.01M5 10.8h.01',
  system: 'M2.5 3h11v7.5h-11zM6 13h4M8 10.5V13',
  memory: 'M4 4h8v8H4zM6.5 2v2M9.5 2v2M6.5 12v2M9.5 12v2M2 6.5h2M2 9.5h2M12 6.5h2M12 9.5h2',
  cache: 'M8 2 3 9h4l-1 5 6-8H8z',
  errors: 'M8 2.2 14.3 13H1.7zM8 6.3v3M8 11.2h.01',
  explore: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.4 10.4 13.8 13.8',
  search: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.4 10.4 13.8 13.8',
  check: 'M3.5 8.5 6.5 11.5 12.5 4.5',
  usage: 'M5.8 7.5a2.4 2.4 0 1 0 0-4.8 2.4 2.4 0 0 0 0 4.8zM1.8 13.3c.2-2.4 1.9-3.8 4-3.8s3.8 1.4 4 3.8M10.6 3a2.2 2.2 0 0 1 0 4.2M11.8 9.8c1.4.4 2.3 1.6 2.4 3.5',
  trends: 'M2 12.5 6 8l2.5 2.5L14 4M10.5 4H14v3.5',
  admin: 'M3 5h6M12 5h1M3 11h1M7 11h6M10.5 3.5v3M5.5 9.5v3',
  menu: 'M2.5 4.5h11M2.5 8h11M2.5 11.5h11',
  x: 'M4 4l8 8M12 4l-8 8',
  chev: 'M4.5 6.5 8 10l3.5-3.5',
  chevr: 'M6.5 4.5 10 8l-3.5 3.5',
  pause: 'M5.5 3.5v9M10.5 3.5v9',
  sun: 'M8 5.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6zM8 1.5v1.3M8 13.2v1.3M1.5 8h1.3M13.2 8h1.3M3.4 3.4l.9.9M11.7 11.7l.9.9M3.4 12.6l.9-.9M11.7 4.3l.9-.9',
  moon: 'M13 9.6A5.6 5.6 0 0 1 6.4 3 5.6 5.6 0 1 0 13 9.6z',
  clock: 'M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2zM8 4.8V8l2.2 1.6',
  plus: 'M8 3.2v9.6M3.2 8h9.6',
  dots: 'M3.6 8h.01M8 8h.01M12.4 8h.01',
  zoom: 'M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9zM10.4 10.4 13.8 13.8M5 7h4',
  sort: 'M5 6.2 8 3l3 3.2M5 9.8 8 13l3-3.2',
  up: 'M8 13V3.4M4.5 6.8 8 3.2l3.5 3.6',
  down: 'M8 3v9.6M4.5 9.2 8 12.8l3.5-3.6',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  help: 'M8 2.2a5.8 5.8 0 1 0 0 11.6A5.8 5.8 0 0 0 8 2.2zM6.3 6.3a1.8 1.8 0 1 1 2.4 1.7c-.5.2-.7.5-.7 1M8 11.2h.01',
  user: 'M8 8a2.7 2.7 0 1 0 0-5.4A2.7 2.7 0 0 0 8 8zM3 13.5c.3-2.6 2.3-4 5-4s4.7 1.4 5 4',
};
export type IconName = keyof typeof PATHS;

export function Icon({ name, size = 16 }: { name: IconName; size?: number }) {
  return (
    <svg
      class="icon" width={size} height={size} viewBox="0 0 16 16" fill="none" stroke="currentColor"
      stroke-width="1.5" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true"
    >
      <path d={PATHS[name]} />
    </svg>
  );
}

function Shape({ status }: { status: Status | 'info' }) {
  switch (status) {
    case 'good':
      return <><circle cx="8" cy="8" r="6.4" class="fill" /><path d="M5 8.2 7.2 10.4 11.2 6" class="line" /></>;
    case 'warning':
      return <><path d="M8 1.6 15 14H1z" class="fill" /><path d="M8 6.2v3.6M8 12h.01" class="line" /></>;
    case 'critical':
      return <><path d="M5.2 1.4h5.6l3.8 3.8v5.6l-3.8 3.8H5.2L1.4 10.8V5.2z" class="fill" /><path d="M8 4.4v4.4M8 11.4h.01" class="line" /></>;
    case 'info':
      return <><circle cx="8" cy="8" r="6.4" class="fill" /><path d="M8 7.6v3.4M8 5h.01" class="line" /></>;
    case 'unknown':
      return <circle cx="8" cy="8" r="5.4" class="open" />;
  }
}

/** A status by shape as well as colour: disc, triangle, octagon, dashed ring. Text goes beside it. */
export function Mark({ status, size = 14 }: { status: Status | 'info'; size?: number }) {
  return (
    <svg class={`mark mark-${status}`} width={size} height={size} viewBox="0 0 16 16" aria-hidden="true">
      <Shape status={status} />
    </svg>
  );
}

export function Logo() {
  return (
    <svg width="22" height="22" viewBox="0 0 22 22" aria-hidden="true" class="logo">
      <circle cx="11" cy="8" r="6.2" />
      <path d="M11 14.2V20M8.6 20h4.8" />
      <path d="M6.4 8.6h2.2l1.3-3.2 2.2 5.4 1.3-2.2h2.2" class="thin" />
    </svg>
  );
}
