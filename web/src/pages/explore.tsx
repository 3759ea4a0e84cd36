// Ask anything in PromQL: an editor per query, a graph of all, a table of values. The queries are in the
// address ("q", once per query), so that a pasted address shows the same.
import { useMemo, useState } from 'preact/hooks';
import { TimeChart } from '../chart/chart';
import { labelText, largest, type Line } from '../chart/lines';
import { common, countSeries } from '../i18n/common';
import { ApiError } from '../lib/api';
import { useCell } from '../lib/cell';
import { duration, format, type Unit } from '../lib/fmt';
import type { Labels } from '../lib/history';
import { strings } from '../lib/lang';
import { useLoad, type Loaded } from '../lib/load';
import { route, setParams } from '../lib/nav';
import type { Page } from '../lib/page';
import { errorPlace, pointAt, unitOf } from '../lib/promql';
import { formatQuery, queryInstant, queryRange, type Figures, type InstantAnswerRows, type RangeAnswer } from '../lib/prom';
import { historyStep, rangeEnds, rangeOf, type TimeRange } from '../lib/range';
import { recall, remember } from '../lib/storage';
import { Editor } from '../ui/editor';
import { Icon } from '../ui/icons';
import { Menu } from '../ui/menu';
import { Card, Tabs } from '../ui/parts';
import { Empty, Load } from '../ui/states';
import { Table, type Column } from '../ui/table';

const t = strings(
  {
    title: 'Explore', query: 'PromQL query', queryNumber: 'PromQL query {n}', run: 'Run', add: 'Add query', remove: 'Remove this query', history: 'Earlier queries',
    tidy: 'Format', step: 'step {time}', start: 'Write a query, or take one of these:', noSeries: 'No series match.', raw: 'Exact', labels: 'Labels',
    moreLines: '{n} more series are in the table',
  },
  {
    title: 'Запросы', query: 'Запрос PromQL', queryNumber: 'Запрос PromQL {n}', run: 'Выполнить', add: 'Добавить запрос', remove: 'Убрать запрос', history: 'Прежние запросы',
    tidy: 'Оформить', step: 'шаг {time}', start: 'Напишите запрос или возьмите один из этих:', noSeries: 'Нет подходящих рядов.', raw: 'Точно', labels: 'Метки',
    moreLines: 'ещё {n} рядов в таблице',
  },
);

const EXAMPLES = [
  'sum by (service) (rate(sonde_operations_total[5m]))',
  'histogram_quantile(0.95, sum by (service, le) (rate(sonde_operation_duration_seconds_bucket[5m])))',
  '1 - avg by (instance) (rate(node_cpu_seconds_total{mode="idle"}[2m]))',
];
const QUERIES_MAX = 8;
const HISTORY_MAX = 50;
const HISTORY_KEY = 'queries';

function readHistory(): string[] {
  try {
    const list: unknown = JSON.parse(recall(HISTORY_KEY) ?? '[]');
    return Array.isArray(list) ? list.filter((text): text is string => typeof text === 'string') : [];
  } catch {
    return [];
  }
}

function addToHistory(query: string): string[] {
  const list = [query, ...readHistory().filter((other) => other !== query)].slice(0, HISTORY_MAX);
  remember(HISTORY_KEY, JSON.stringify(list));
  return list;
}

/** Answers of all queries; one that fails does not hide the others. */
type Answers<T> = (T | ApiError)[];

async function askAll<T>(queries: string[], ask: (query: string) => Promise<T>): Promise<Answers<T>> {
  return Promise.all(queries.map((query) => ask(query).catch((error: unknown) => {
    if (error instanceof ApiError && error.status !== 401) return error;
    throw error;
  })));
}

function errorsOf(loaded: Loaded<Answers<unknown>>): (ApiError | null)[] {
  return (loaded.data ?? []).map((answer) => (answer instanceof ApiError ? answer : null));
}

function QueryError({ query, error }: { query: string; error: ApiError }) {
  const place = errorPlace(error.message);
  const pointer = place && pointAt(query, place);
  return <p class="query-error" role="alert">{error.message}{pointer && <code>{pointer}</code>}</p>;
}

interface QueryRowProps {
  text: string;
  index: number;
  count: number;
  history: string[];
  error: ApiError | null;
  /** The query that the error is about. */
  asked: string;
  onChange: (text: string) => void;
  onRun: (text: string) => void;
  onRemove: () => void;
}

function QueryRow({ text, index, count, history, error, asked, onChange, onRun, onRemove }: QueryRowProps) {
  const shownError = text === asked ? error : null;
  return (
    <>
      <div class="query-row">
        <Editor
          value={text} onChange={onChange} onRun={onRun} history={history} label={count > 1 ? t('queryNumber', { n: index + 1 }) : t('query')}
          error={shownError && errorPlace(shownError.message)}
        />
        {count > 1 && <button type="button" class="icon-button" aria-label={t('remove')} onClick={onRemove}><Icon name="x" /></button>}
        {index === 0 && <button type="button" class="button primary" onClick={() => onRun(text)}>{t('run')}<kbd aria-hidden="true">↵</kbd></button>}
      </div>
      {shownError && <QueryError query={text} error={shownError} />}
    </>
  );
}

function figuresText(answers: Answers<{ figures: Figures; step?: number }>): string {
  const good = answers.filter((answer) => !(answer instanceof ApiError)) as { figures: Figures; step?: number }[];
  if (good.length === 0) return '';
  const sum = (pick: (figures: Figures) => number): number => good.reduce((total, { figures }) => total + pick(figures), 0);
  const step = good[0].step;
  return [
    countSeries(sum(({ seriesCount }) => seriesCount)), ...(step ? [t('step', { time: duration(step) })] : []),
    duration(Math.max(...good.map(({ figures }) => figures.milliseconds)) / 1000), format(sum(({ bytes }) => bytes), 'bytes'),
  ].join(' · ');
}

function commonUnit(queries: string[]): Unit {
  const units = new Set(queries.map(unitOf));
  return units.size === 1 ? [...units][0] : 'number';
}

function linesOfAnswers(queries: string[], answers: Answers<RangeAnswer>): Line[] {
  return answers.flatMap((answer, index) => (answer instanceof ApiError ? [] : answer.series.map(({ labels, values }): Line => {
    const text = labelText(labels);
    const name = text === '{}' ? queries[index] : text;
    return { label: queries.length > 1 && text !== '{}' ? `${index + 1}: ${name}` : name, values };
  })));
}

function Graph({ queries, answers, range }: { queries: string[]; answers: Answers<RangeAnswer>; range: TimeRange }) {
  const first = answers.find((answer): answer is RangeAnswer => !(answer instanceof ApiError));
  // The same lines while the answer is the same: each key in the editor renders, and would draw them anew.
  const lines = useMemo(() => linesOfAnswers(queries, answers), [answers]);
  const shown = useMemo(() => largest(lines, ({ values }) => values), [lines]);
  if (!first) return null;
  return (
    <Card>
      <TimeChart
        title="" note={lines.length > shown.length ? t('moreLines', { n: lines.length - shown.length }) : undefined} unit={commonUnit(queries)} times={first.times}
        step={first.step} ends={rangeEnds(range, first.times[first.times.length - 1])} lines={shown} height={340}
      />
    </Card>
  );
}

interface ValueRow { id: string; labels: Labels; value: number; text: string; unit: Unit }

function valueColumns(rows: ValueRow[]): Column<ValueRow>[] {
  const names = [...new Set(rows.flatMap(({ labels }) => Object.keys(labels)))].slice(0, 8);
  const isMetric = names.includes('__name__');
  const order = isMetric ? ['__name__', ...names.filter((name) => name !== '__name__')] : names;
  const labelColumns = order.map((name, index): Column<ValueRow> => ({
    key: `label-${name}`, head: name === '__name__' ? common('name') : name, priority: index > 1 ? 2 : undefined,
    sort: ({ labels }) => labels[name] ?? '', cell: ({ labels }) => <code>{labels[name] ?? ''}</code>,
  }));
  if (labelColumns.length === 0) labelColumns.push({ key: 'labels', head: t('labels'), cell: () => <code>{'{}'}</code> });
  return [
    ...labelColumns,
    { key: 'value', head: common('value'), isNumber: true, sort: ({ value }) => value, cell: ({ value, unit }) => format(value, unit) },
    { key: 'raw', head: t('raw'), isNumber: true, priority: 2, cell: ({ text }) => <code class="faint">{text}</code> },
  ];
}

function Values({ queries, answers }: { queries: string[]; answers: Answers<InstantAnswerRows> }) {
  const rows = answers.flatMap((answer, index) => (answer instanceof ApiError ? [] : answer.rows.map((row, number): ValueRow => ({
    ...row, id: `${index} ${number}`, unit: unitOf(queries[index]),
  }))));
  return (
    <Card isFlush>
      <Table caption={common('table')} columns={valueColumns(rows)} rows={rows} id={({ id }) => id} sorting={{ key: 'value', direction: -1 }} empty={t('noSeries')} />
    </Card>
  );
}

type Tab = 'graph' | 'table';

function useAnswers(queries: string[], range: TimeRange, tab: Tab) {
  const key = queries.length > 0 ? JSON.stringify([queries, range]) : null;
  const graph = useLoad<Answers<RangeAnswer>>(tab === 'graph' ? key : null, (signal) => {
    const ends = rangeEnds(range, Date.now() / 1000);
    return askAll(queries, (query) => queryRange(query, ends, historyStep(range), signal));
  });
  const table = useLoad<Answers<InstantAnswerRows>>(tab === 'table' ? key : null, (signal) => askAll(queries, (query) => queryInstant(query, rangeEnds(range, Date.now() / 1000)[1], signal)));
  return { graph, table };
}

function Examples({ onTake }: { onTake: (query: string) => void }) {
  return (
    <Card>
      <Empty action={<>{EXAMPLES.map((query) => <button key={query} type="button" class="link-button" onClick={() => onTake(query)}><code>{query}</code></button>)}</>}>
        {t('start')}
      </Empty>
    </Card>
  );
}

function View() {
  const { query } = useCell(route);
  const range = rangeOf(query);
  const asked = query.getAll('q').filter((text) => text.trim() !== '').slice(0, QUERIES_MAX);
  const tab: Tab = query.get('tab') === 'table' ? 'table' : 'graph';
  const askedKey = asked.join('\n\0');
  const [drafts, setDrafts] = useState({ of: askedKey, texts: asked.length > 0 ? asked : [''] });
  const [past, setPast] = useState(readHistory);
  const texts = drafts.of === askedKey ? drafts.texts : asked.length > 0 ? asked : ['']; // the address changed: it wins
  const { graph, table } = useAnswers(asked, range, tab);
  const loaded: Loaded<Answers<RangeAnswer | InstantAnswerRows>> = tab === 'graph' ? graph : table;
  const errors = errorsOf(loaded);

  const write = (next: string[]): void => setDrafts({ of: askedKey, texts: next });
  const run = (next: string[]): void => {
    const queries = next.map((text) => text.trim()).filter((text) => text !== '');
    for (const text of queries) setPast(addToHistory(text));
    if (queries.join('\n\0') === askedKey) loaded.reload();
    else setParams({ q: queries });
  };
  const tidy = (): void => void Promise.all(texts.map((text) => formatQuery(text).catch(() => text))).then(write);
  return (
    <>
      {texts.map((text, index) => (
        <QueryRow
          key={index} text={text} index={index} count={texts.length} history={past} error={errors[index] ?? null} asked={asked[index] ?? ''}
          onChange={(next) => write(texts.with(index, next))} onRun={(next) => run(texts.with(index, next))} onRemove={() => run(texts.toSpliced(index, 1))}
        />
      ))}
      <div class="bar">
        <Tabs
          label={t('title')} value={tab} onChange={(next) => setParams({ tab: next === 'table' ? next : null }, 'replace')}
          choices={[{ key: 'graph', label: common('graph') }, { key: 'table', label: common('table') }]}
        />
        <span class="muted" role="status">{loaded.data ? figuresText(loaded.data) : ''}</span>
        <span class="spring" />
        {past.length > 0 && <Menu label={t('history')} icon="clock" items={past.slice(0, 12).map((text) => ({ label: <code>{text.slice(0, 80)}</code>, onClick: () => run([text]) }))} />}
        <button type="button" class="button" onClick={tidy}>{t('tidy')}</button>
        {texts.length < QUERIES_MAX && <button type="button" class="button" onClick={() => write([...texts, ''])}><Icon name="plus" />{t('add')}</button>}
      </div>
      {asked.length === 0 ? <Examples onTake={(text) => run([text])} /> : tab === 'graph'
        ? <Load loaded={graph}>{(answers) => <Graph queries={asked} answers={answers} range={range} />}</Load>
        : <Load loaded={table}>{(answers) => <Values queries={asked} answers={answers} />}</Load>}
    </>
  );
}

export const explore: Page = { id: 'explore', title: () => t('title'), icon: 'explore', group: 'investigate', View, key: 'x' };
