// From series of the server to lines of a chart. Pure.
import { NONE } from '../lib/fmt';
import { isError, type Column, type Labels, type Result, type Series } from '../lib/history';

export interface Line {
  label: string;
  values: Column;
  /** With both a band is drawn between them. */
  low?: Column;
  high?: Column;
  /** A custom property; without it the place in the list decides. */
  color?: string;
}

export interface Lines {
  lines: Line[];
  /** Series that are left out: the smallest by their last value. */
  moreCount: number;
  /** The lines are maxima of each step, not averages. */
  isMaximum: boolean;
  error: string | null;
}

/** Colours there are; a ninth line would look like the first. */
export const LINES_MAX = 8;

const lastOf = (values: Column | undefined): number => values?.findLast((value) => value !== null) ?? -Infinity;

/** What a line is called: the values of some labels. */
export const byLabel = (...names: string[]) => (labels: Labels): string =>
  names.map((name) => labels[name]).filter((value) => value).join(' ') || NONE;

/** All labels, as PromQL writes them. */
export function labelText(labels: Labels): string {
  const { __name__: metric = '', ...rest } = labels;
  const pairs = Object.entries(rest).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  return pairs.length > 0 || !metric ? `${metric}{${pairs.join(', ')}}` : metric;
}

const isSpread = ({ min, max }: Series): boolean =>
  min !== undefined && max !== undefined && min.some((low, index) => low !== null && max[index] !== null && max[index] > low);

/** All of them; of too many those with the largest last values. */
export const largest = <T>(all: T[], values: (one: T) => Column | undefined): T[] =>
  (all.length <= LINES_MAX ? all : [...all].sort((a, b) => lastOf(values(b)) - lastOf(values(a))).slice(0, LINES_MAX));

interface LineOptions {
  label?: (labels: Labels) => string;
  /** Neither band nor maxima: lines that add up, or stand beside those of other queries. */
  isAverage?: boolean;
}

/**
 * Peaks stay when a step holds several samples: one series is its average in a band from min to max,
 * several are their maxima.
 */
export function linesOf(result: Result | undefined, { label = labelText, isAverage = false }: LineOptions = {}): Lines {
  const none: Lines = { lines: [], moreCount: 0, isMaximum: false, error: null };
  if (!result) return none;
  if (isError(result)) return { ...none, error: result.error };
  const shown = largest(result.series, ({ avg }) => avg);
  const isSingle = shown.length === 1;
  const isMaximum = !isAverage && !isSingle && shown.some(isSpread);
  const lines = shown.map((series): Line => ({
    label: label(series.labels),
    values: (isMaximum ? series.max : series.avg) ?? [],
    ...(!isAverage && isSingle && isSpread(series) ? { low: series.min, high: series.max } : {}),
  }));
  return { lines: withUniqueLabels(lines), moreCount: result.series.length - shown.length, isMaximum, error: null };
}

/** Lines are told apart by their label: a second one of the same name gets a number. */
function withUniqueLabels(lines: Line[]): Line[] {
  const seen = new Map<string, number>();
  return lines.map((line) => {
    const count = (seen.get(line.label) ?? 0) + 1;
    seen.set(line.label, count);
    return count === 1 ? line : { ...line, label: `${line.label} (${count})` };
  });
}

/** Sums from the first line up; a gap stays a gap. */
export function stacked(lines: Line[]): Column[] {
  const sums: number[] = [];
  return lines.map((line) => line.values.map((value, index) => {
    if (value === null) return null;
    sums[index] = (sums[index] ?? 0) + value;
    return sums[index];
  }));
}
