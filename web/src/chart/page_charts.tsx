// The charts of a page: all queries in one request over the range of the address, each chart with the
// states of a panel.
import { useCell } from '../lib/cell';
import { useHistory } from '../lib/history';
import { route } from '../lib/nav';
import { rangeOf, type TimeRange } from '../lib/range';
import { Card } from '../ui/parts';
import { Load } from '../ui/states';
import { HistoryChart, type Part, type Shown } from './history_chart';

/** The range of the address. */
export function usePageRange(): TimeRange {
  return rangeOf(useCell(route).query);
}

/** A card with one chart; ids of its parts are unique among the cards of the page. */
export interface ChartCard extends Shown {
  span: 3 | 4 | 6 | 8 | 12;
  parts: Part[];
  /** Averages instead of peaks: of lines that add up, whose maxima need not have met, and of several queries. */
  isAverage?: boolean;
}

/** Cards whose queries go to the server as one request. */
export function ChartCards({ cards }: { cards: ChartCard[] }) {
  const range = usePageRange();
  const loaded = useHistory(Object.fromEntries(cards.flatMap(({ parts }) => parts.map(({ id, query }) => [id, query]))), range);
  return (
    <>
      {cards.map(({ span, ...chart }) => (
        <Card key={chart.parts[0].id} span={span}>
          <Load loaded={loaded}>
            {(history) => <HistoryChart isAverage={chart.isStacked || chart.parts.length > 1} {...chart} history={history} range={range} />}
          </Load>
        </Card>
      ))}
    </>
  );
}
