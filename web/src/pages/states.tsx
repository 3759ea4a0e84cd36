// Every state that a panel can have, side by side: for looking at, and for screenshots. "#/states".
import { TimeChart } from '../chart/chart';
import { common } from '../i18n/common';
import { strings } from '../lib/lang';
import type { Page } from '../lib/page';
import { href } from '../lib/nav';
import { Badge, Card, Chips, Meter, Stat, Stats, Tabs, Zones } from '../ui/parts';
import { Empty, PanelError, Skeleton } from '../ui/states';
import { format } from '../lib/fmt';

const t = strings(
  {
    title: 'States', loading: 'Loading', empty: 'Empty', error: 'Error', noSamples: 'No samples in range', lost: 'Connection lost, trying again. Values are from 22:23:47.',
    emptyText: 'No GPU reported yet.', sources: 'Check sources', errorText: 'query timed out after 10 s', gap: 'A gap is a gap', lone: 'One sample',
    peaks: 'Peaks stay when zoomed out', band: 'band: min–max', parts: 'Parts', marks: 'Marks and a threshold', alert: 'alert', deploy: 'deploy v2.14',
  },
  {
    title: 'Состояния', loading: 'Загрузка', empty: 'Пусто', error: 'Ошибка', noSamples: 'Нет отсчётов в интервале', lost: 'Нет связи, пробуем снова. Значения на 22:23:47.',
    emptyText: 'GPU пока не обнаружены.', sources: 'Проверить источники', errorText: 'превышено время запроса, 10 с', gap: 'Пропуск виден', lone: 'Один отсчёт',
    peaks: 'Пики сохраняются', band: 'полоса: мин–макс', parts: 'Элементы', marks: 'Отметки и порог', alert: 'сбой', deploy: 'выпуск v2.14',
  },
);

// Not data: shapes to show what charts do with it.
const TIMES = Array.from({ length: 120 }, (_, index) => 1_764_280_800 + index * 30);
const wave = (index: number): number => 0.6 + 0.15 * Math.sin(index / 9) + 0.05 * Math.sin(index * 1.7);
const GAP = TIMES.map((_, index) => (index > 48 && index < 62 ? null : wave(index)));
const LONE = TIMES.map((_, index) => (index === 80 ? 12 : null));
const AVERAGE = TIMES.map((_, index) => 0.04 * wave(index));
const HIGH = AVERAGE.map((value, index) => value * (index % 17 === 4 ? 3.1 : 1.25));
const LOW = AVERAGE.map((value) => value * 0.8);

function Charts() {
  return (
    <>
      <Card span={4}><TimeChart title={t('gap')} unit="ratio" times={TIMES} lines={[{ label: 'gpu-0', values: GAP }]} max={1} /></Card>
      <Card span={4}><TimeChart title={t('lone')} unit="number" times={TIMES} lines={[{ label: 'jobs', values: LONE }]} /></Card>
      <Card span={4}>
        <TimeChart title={t('peaks')} note={t('band')} unit="seconds" times={TIMES} lines={[{ label: common('average').toLowerCase(), values: AVERAGE, low: LOW, high: HIGH }]} />
      </Card>
      <Card span={6}>
        <TimeChart
          title={t('marks')} unit="ratio" times={TIMES} lines={[{ label: 'disk', values: TIMES.map((_, index) => wave(index)) }]} max={1}
          thresholds={[{ value: 0.9, status: 'critical' }]}
          marks={[{ time: TIMES[60], status: 'critical', label: t('alert') }, { time: TIMES[64], status: 'info', label: t('deploy') }]}
        />
      </Card>
      <Card span={6}><TimeChart title={t('noSamples')} unit="number" times={TIMES} lines={[]} /></Card>
    </>
  );
}

function Parts() {
  const nothing = (): void => {};
  return (
    <Card span={12} title={t('parts')}>
      <div class="examples">
        <Badge status="good" /><Badge status="warning" /><Badge status="critical" /><Badge status="unknown" /><Badge status="info" />
        <button type="button" class="button">{common('edit')}</button>
        <button type="button" class="button primary">{common('save')}</button>
        <button type="button" class="button danger">{common('reset')}</button>
        <button type="button" class="button" disabled>{common('save')}</button>
        <span class="tag">label</span>
        <Tabs label={t('parts')} value="a" onChange={nothing} choices={[{ key: 'a', label: common('graph') }, { key: 'b', label: common('table') }]} />
        <Chips label={t('parts')} value="a" onChange={nothing} choices={[{ key: 'a', label: 'A' }, { key: 'b', label: 'B' }]} />
      </div>
      <Meter value={0.83} label={t('parts')} />
      <Zones value={42} good={30} critical={60} higherIsBetter={false} text={(value) => format(value, 'seconds')} />
      <Zones value={0.934} good={0.95} critical={0.9} higherIsBetter text={(value) => format(value, 'ratio')} />
      <Stats><Stat label="p95" value={format(41.2, 'seconds')} status="critical" note="+12 %" /><Stat label={common('active')} value="14" /></Stats>
    </Card>
  );
}

function View() {
  return (
    <>
      <div class="banner" role="status"><i class="dot" /><span>{t('lost')}</span><button type="button" class="link-button">{common('retry')}</button></div>
      <div class="grid">
        <Card span={3} title={t('loading')}><Skeleton /></Card>
        <Card span={3} title={t('empty')}><Empty action={<a class="link-button" href={href('admin')}>{t('sources')}</a>}>{t('emptyText')}</Empty></Card>
        <Card span={3} title={t('error')}><PanelError error={t('errorText')} onRetry={() => {}} /></Card>
        <Card span={3} title={t('noSamples')}>
          <Empty action={<button type="button" class="link-button">{common('goThere')}</button>}>{common('lastSample', { ago: '3 d' })}</Empty>
        </Card>
        <Charts />
        <Parts />
      </div>
    </>
  );
}

export const states: Page = { id: 'states', title: () => t('title'), icon: 'help', group: null, View };
