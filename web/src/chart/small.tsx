// Charts of the size of a word: sparkline, bars, strip of statuses. Each is one SVG with few paths, so that
// a thousand rows stay cheap.
import { useMemo } from 'preact/hooks';
import { strings } from '../lib/lang';
import type { Status } from '../lib/status';
import { format } from '../lib/fmt';

const t = strings(
  { strip: 'Last 24 h: {good} of the time with data good' },
  { strip: 'За 24 ч: норма {good} времени, за которое есть данные' },
);

const round = (x: number): number => Math.round(x * 10) / 10;

/** The line and the area below it; a gap ends both. Pure. */
export function sparkPaths(values: (number | null)[], width: number, height: number, top: number): { line: string; area: string } {
  const step = width / Math.max(1, values.length - 1);
  const y = (value: number): number => round(height - 1 - (value / top) * (height - 3));
  let line = '';
  let area = '';
  let startX: number | null = null;
  const closeArea = (x: number): void => {
    if (startX !== null) area += `L${x} ${height}L${startX} ${height}z`;
    startX = null;
  };
  values.forEach((value, index) => {
    if (value === null) {
      closeArea(round((index - 1) * step));
      return;
    }
    const point = `${round(index * step)} ${y(value)}`;
    const command = startX === null ? 'M' : 'L';
    line += command + point;
    area += command + point;
    if (startX === null) {
      startX = round(index * step);
      if (values[index + 1] === null || index === values.length - 1) line += 'h0.01'; // a lone sample is a dot
    }
  });
  closeArea(round((values.length - 1) * step));
  return { line, area };
}

interface SparkProps {
  values: (number | null)[];
  width?: number;
  height?: number;
  color?: string;
  max?: number;
  threshold?: number;
  /** For screen readers; without it the spark is decoration. */
  label?: string;
}

export function Spark({ values, width = 96, height = 22, color = '--series-1', max, threshold, label }: SparkProps) {
  const top = Math.max(max ?? 0, threshold ?? 0, ...values.map((value) => value ?? 0)) * 1.05 || 1;
  const { line, area } = useMemo(() => sparkPaths(values, width, height, top), [values, width, height, top]);
  const limitY = threshold === undefined ? 0 : round(height - 1 - (threshold / top) * (height - 3));
  return (
    <svg
      class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none"
      role={label ? 'img' : undefined} aria-label={label} aria-hidden={label ? undefined : 'true'}
    >
      <path d={area} class="area" style={{ fill: `var(${color})` }} />
      {threshold !== undefined && <path d={`M0 ${limitY}H${width}`} class="limit" />}
      <path d={line} class="line" style={{ stroke: `var(${color})` }} />
    </svg>
  );
}

export function Bars({ values, width = 110, height = 24, label }: { values: number[]; width?: number; height?: number; label?: string }) {
  const top = Math.max(...values, 1);
  const bar = width / values.length;
  const path = values.map((value, index) => {
    const size = value > 0 ? Math.max(1.5, (value / top) * height) : 0.75;
    return `M${round(index * bar)} ${height}v${-round(size)}h${round(bar - 1.2)}v${round(size)}z`;
  }).join('');
  return (
    <svg class="spark bars" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role={label ? 'img' : undefined} aria-label={label} aria-hidden={label ? undefined : 'true'}>
      <path d={path} />
    </svg>
  );
}

const STRIP_WORDS: Record<string, Status> = { g: 'good', w: 'warning', c: 'critical', '-': 'unknown' };
const STRIP_INSET: Record<Status, number> = { good: 3, unknown: 7.5, warning: 0, critical: 0 };

/** One path per status. Pure. */
function stripPaths(statuses: string, width: number, height: number): Partial<Record<Status, string>> {
  const cell = width / Math.max(1, statuses.length);
  const paths: Partial<Record<Status, string>> = {};
  [...statuses].forEach((letter, index) => {
    const status = STRIP_WORDS[letter] ?? 'unknown';
    const inset = STRIP_INSET[status];
    paths[status] = `${paths[status] ?? ''}M${round(index * cell)} ${inset}h${round(cell - 1.1)}v${height - 2 * inset}h${-round(cell - 1.1)}z`;
  });
  return paths;
}

/** 48 half hours as letters of the server: g, w, c, - (no data); oldest first. */
export function Strip({ statuses, width = 168, height = 18 }: { statuses: string; width?: number; height?: number }) {
  const paths = useMemo(() => stripPaths(statuses, width, height), [statuses, width, height]);
  const known = [...statuses].filter((letter) => letter !== '-').length;
  const good = [...statuses].filter((letter) => letter === 'g').length;
  const label = t('strip', { good: format(known > 0 ? good / known : null, 'ratio') });
  return (
    <svg class="strip" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={label}>
      {Object.entries(paths).map(([status, path]) => <path key={status} class={`cell-${status}`} d={path} />)}
    </svg>
  );
}
