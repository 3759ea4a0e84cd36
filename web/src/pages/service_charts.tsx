// Throughput and latency of one service: on its page, and on the overview when it is the only one.
import { HistoryChart } from '../chart/history_chart';
import { quote, rateWindow, useHistory, type Labels } from '../lib/history';
import { strings } from '../lib/lang';
import type { TimeRange } from '../lib/range';
import { Card } from '../ui/parts';
import { Load } from '../ui/states';

const t = strings(
  { throughput: 'Throughput', latency: 'Latency', ok: 'ok', error: 'errors', aborted: 'aborted' },
  { throughput: 'Пропускная способность', latency: 'Задержка', ok: 'успешно', error: 'ошибки', aborted: 'прервано' },
);

const HEIGHT_PX = 170;
const QUANTILES = [0.5, 0.95, 0.99];

function queriesOf(service: string, range: TimeRange): Record<string, string> {
  const window = rateWindow(range);
  const selector = `{service=${quote(service)}}`;
  const rate = (outcome: string): string => `sum(rate(sonde_operations_total{service=${quote(service)},outcome="${outcome}"}[${window}]))`;
  const queries: Record<string, string> = { ok: rate('ok'), error: rate('error'), aborted: rate('aborted') };
  for (const quantile of QUANTILES)
    queries[`p${quantile * 100}`] = `histogram_quantile(${quantile}, sum by (le) (rate(sonde_operation_duration_seconds_bucket${selector}[${window}])))`;
  return queries;
}

const OUTCOMES = [{ id: 'ok', color: '--series-1' }, { id: 'error', color: '--critical' }, { id: 'aborted', color: '--series-2' }] as const;

export function ServiceCharts({ name, range }: { name: string; range: TimeRange }) {
  const queries = queriesOf(name, range);
  const loaded = useHistory(queries, range);
  const quantiles = QUANTILES.map((quantile) => `p${quantile * 100}`);
  return (
    <>
      <Card span={4}>
        <Load loaded={loaded}>
          {(history) => (
            <HistoryChart
              title={t('throughput')} unit="perSecond" height={HEIGHT_PX} isStacked history={history} range={range}
              parts={OUTCOMES.map(({ id, color }) => ({ id, color, query: queries[id], label: (_: Labels) => t(id) }))}
            />
          )}
        </Load>
      </Card>
      <Card span={4}>
        <Load loaded={loaded}>
          {(history) => (
            <HistoryChart
              title={t('latency')} unit="seconds" height={HEIGHT_PX} history={history} range={range}
              parts={quantiles.map((id, index) => ({ id, color: `--series-${index + 1}`, query: queries[id], label: () => id }))}
            />
          )}
        </Load>
      </Card>
    </>
  );
}

