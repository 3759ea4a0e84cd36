// A chart of one or several results of a history request.
import type { History, Labels } from '../lib/history';
import { rangeSeconds, type TimeRange } from '../lib/range';
import { PanelError } from '../ui/states';
import { TimeChart, type ChartProps } from './chart';
import { linesOf, type Line } from './lines';

interface Part {
  /** Id of the query. */
  id: string;
  query: string;
  label?: (labels: Labels) => string;
  color?: string;
}

type OwnProps = Pick<ChartProps, 'title' | 'unit' | 'height' | 'min' | 'max' | 'thresholds' | 'marks' | 'isStacked' | 'note'>;
interface HistoryChartProps extends OwnProps { history: History; parts: Part[]; range: TimeRange }

/** Both ends of what was asked for: a series that begins late does not stretch. */
export function chartEnds(history: History, range: TimeRange): [number, number] {
  const end = range.kind === 'between' ? range.to : history.end;
  return [end - rangeSeconds(range), end];
}

export function HistoryChart({ history, parts, range, ...props }: HistoryChartProps) {
  const found = parts.map(({ id, label, color }) => {
    const result = linesOf(history.results[id], { label });
    return { ...result, lines: result.lines.map((line): Line => (color ? { ...line, color } : line)) };
  });
  const error = found.find((one) => one.error !== null)?.error;
  if (error) return <PanelError error={error} />;
  return (
    <TimeChart
      {...props} times={history.t} step={history.step} lines={found.flatMap(({ lines }) => lines)} ends={chartEnds(history, range)}
      queries={parts.map(({ query }) => query)} isMaximum={found.some(({ isMaximum }) => isMaximum)}
      moreCount={found.reduce((sum, { moreCount }) => sum + moreCount, 0)}
    />
  );
}
