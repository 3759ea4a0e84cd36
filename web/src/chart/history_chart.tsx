// A chart of one or several results of a history request.
import { useMemo } from 'preact/hooks';
import type { History, Labels } from '../lib/history';
import { lang } from '../lib/lang';
import { rangeEnds, type TimeRange } from '../lib/range';
import { PanelError } from '../ui/states';
import { TimeChart, type ChartProps } from './chart';
import { linesOf, type Lines } from './lines';

/** A query and how its lines are called. */
export interface Part {
  id: string;
  query: string;
  label?: (labels: Labels) => string;
  color?: string;
}

export type Shown = Pick<ChartProps, 'title' | 'unit' | 'height' | 'min' | 'max' | 'thresholds' | 'marks' | 'isStacked' | 'note'>;
interface HistoryChartProps extends Shown {
  history: History;
  parts: Part[];
  range: TimeRange;
  /** See linesOf. */
  isAverage?: boolean;
}

function linesOfParts(history: History, parts: Part[], isAverage: boolean): Lines {
  const found = parts.map(({ id, label, color }) => ({ ...linesOf(history.results[id], { label, isAverage }), color }));
  return {
    lines: found.flatMap(({ lines, color }) => (color ? lines.map((line) => ({ ...line, color })) : lines)),
    moreCount: found.reduce((sum, { moreCount }) => sum + moreCount, 0),
    isMaximum: found.some(({ isMaximum }) => isMaximum),
    error: found.find(({ error }) => error !== null)?.error ?? null,
  };
}

export function HistoryChart({ history, parts, range, isAverage = false, ...props }: HistoryChartProps) {
  // The same lines as long as the answer is the same: the chart draws anew when it gets others.
  const { error, ...lines } = useMemo(() => linesOfParts(history, parts, isAverage), [history, lang.value]);
  if (error) return <PanelError error={error} />;
  return (
    // Both ends of what was asked for: a series that begins late does not stretch.
    <TimeChart
      {...props} {...lines} times={history.t} step={history.step} ends={rangeEnds(range, history.end)} queries={parts.map(({ query }) => query)}
    />
  );
}
