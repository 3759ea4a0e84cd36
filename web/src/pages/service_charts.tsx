// Throughput and latency of one service: on its page, and on the overview when it is the only one.
import { ChartCards, type ChartCard } from '../chart/page_charts';
import { quote, rateWindow } from '../lib/history';
import { strings } from '../lib/lang';
import type { TimeRange } from '../lib/range';

const t = strings(
  { throughput: 'Throughput', latency: 'Latency', ok: 'ok', error: 'errors', aborted: 'aborted' },
  { throughput: 'Пропускная способность', latency: 'Задержка', ok: 'успешно', error: 'ошибки', aborted: 'прервано' },
);

const HEIGHT_PX = 170;
const QUANTILES = [0.5, 0.95, 0.99];

const OUTCOMES = [{ id: 'ok', color: '--series-1' }, { id: 'error', color: '--critical' }, { id: 'aborted', color: '--series-2' }] as const;

function cardsOf(service: string, range: TimeRange): ChartCard[] {
  const window = rateWindow(range);
  const selector = `service=${quote(service)}`;
  return [
    {
      title: t('throughput'), unit: 'perSecond', span: 4, height: HEIGHT_PX, isStacked: true, isAverage: false,
      parts: OUTCOMES.map(({ id, color }) => ({
        id, color, label: () => t(id), query: `sum(rate(sonde_operations_total{${selector},outcome="${id}"}[${window}]))`,
      })),
    },
    {
      title: t('latency'), unit: 'seconds', span: 4, height: HEIGHT_PX, isAverage: false,
      parts: QUANTILES.map((quantile, index) => ({
        id: `p${quantile * 100}`, color: `--series-${index + 1}`, label: () => `p${quantile * 100}`,
        query: `histogram_quantile(${quantile}, sum by (le) (rate(sonde_operation_duration_seconds_bucket{${selector}}[${window}])))`,
      })),
    },
  ];
}

export const ServiceCharts = ({ name, range }: { name: string; range: TimeRange }) => <ChartCards cards={cardsOf(name, range)} />;
