// How well something is, in the server's words.
import { strings } from './lang';

export type Status = 'good' | 'warning' | 'critical' | 'unknown';

/** Worst first, as people want to read. */
export const STATUSES: Status[] = ['critical', 'warning', 'unknown', 'good'];
export const severity = (status: Status): number => STATUSES.indexOf(status);

const t = strings(
  { good: 'Good', warning: 'Warning', critical: 'Critical', unknown: 'No data', info: 'Info' },
  { good: 'Норма', warning: 'Внимание', critical: 'Критично', unknown: 'Нет данных', info: 'Инфо' },
);
export const statusName = (status: Status | 'info'): string => t(status);

/** A text colour for a value: only what is wrong has one. */
export const statusClass = (status: Status | null | undefined): string =>
  status === 'warning' || status === 'critical' ? `text-${status}` : '';
