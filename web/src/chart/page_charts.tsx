// The charts of a page: all queries in one request over the range of the address, each chart with the
// states of a panel.
import { useCell } from '../lib/cell';
import { isError, useHistory, type History, type Labels, type Queries } from '../lib/history';
import type { Loaded } from '../lib/load';
import { route } from '../lib/nav';
import { rangeOf, type TimeRange } from '../lib/range';
import { Card } from '../ui/parts';
import { Load } from '../ui/states';
import type { ChartProps } from './chart';
import { HistoryChart } from './history_chart';

/** What is asked, and the one answer. */
export interface Charts { queries: Queries; range: TimeRange; loaded: Loaded<History> }

/** The range of the address. */
export function usePageRange(): TimeRange {
  return rangeOf(useCell(route).query);
}

export function useCharts(queries: Queries): Charts {
  const range = usePageRange();
  return { queries, range, loaded: useHistory(queries, range) };
}

/** A query of the page and how its lines are called. */
export interface Part { id: string; label: (labels: Labels) => string; color?: string }

type Shown = Pick<ChartProps, 'title' | 'unit' | 'height' | 'min' | 'max' | 'thresholds' | 'marks' | 'isStacked' | 'note'>;
interface Props extends Shown { charts: Charts; parts: Part[] }

/** Lines that are stacked add up, so they are averages: maxima of a step need not have met. */
function averages(history: History): History {
  const results = Object.fromEntries(Object.entries(history.results).map(([id, result]) =>
    [id, isError(result) ? result : { ...result, series: result.series.map(({ labels, avg }) => ({ labels, avg })) }]));
  return { ...history, results };
}

export function PageChart({ charts, parts, ...shown }: Props) {
  return (
    <Load loaded={charts.loaded}>
      {(history) => (
        <HistoryChart
          {...shown} history={shown.isStacked || parts.length > 1 ? averages(history) : history} range={charts.range}
          parts={parts.map((part) => ({ ...part, query: charts.queries[part.id] }))}
        />
      )}
    </Load>
  );
}

/** A card with one chart; ids of its parts are unique among the cards of the page. */
export interface ChartCard extends Shown { span: 3 | 4 | 6 | 8 | 12; parts: (Part & { query: string })[] }

/** Cards whose queries go to the server as one request. */
export function ChartCards({ cards }: { cards: ChartCard[] }) {
  const charts = useCharts(Object.fromEntries(cards.flatMap(({ parts }) => parts.map(({ id, query }) => [id, query]))));
  return <>{cards.map(({ span, ...chart }) => <Card key={chart.parts[0].id} span={span}><PageChart {...chart} charts={charts} /></Card>)}</>;
}
