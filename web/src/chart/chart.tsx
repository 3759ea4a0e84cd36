// A chart over time: legend with live values, one tooltip, a shared crosshair, drag to zoom, arrow keys,
// thresholds, marks, and a menu (Explore, table, CSV).
//
// 1. Values under the cursor are written into the document by hand: a render per mouse move of twenty
//    charts would not keep up.
// 2. The plot is made when it comes into view.
import uPlot from 'uplot';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { common } from '../i18n/common';
import { saveText, toCsv } from '../lib/csv';
import { useCell } from '../lib/cell';
import { duration, format, stamp, type Unit } from '../lib/fmt';
import { arrowStep } from '../lib/keys';
import { lang, strings } from '../lib/lang';
import { hold } from '../lib/live';
import { href, resetZoom, setParams } from '../lib/nav';
import { theme } from '../lib/theme';
import { Menu, type MenuItem } from '../ui/menu';
import { Table } from '../ui/table';
import { LINES_MAX, type Line } from './lines';
import { drawOverlay, type Threshold, type TimeMark } from './overlay';
import { colorName, followWidth, plotData, plotOptions, type PlotInput } from './plot';

const t = strings(
  {
    explore: 'Open in Explore', asTable: 'View as table', asGraph: 'View as graph', csv: 'Download CSV', maximum: 'maximum of {step}',
    menuOf: 'Menu: {title}', more: '{n} more not shown', chart: 'Chart',
  },
  {
    explore: 'Открыть в запросах', asTable: 'Показать таблицей', asGraph: 'Показать графиком', csv: 'Скачать CSV', maximum: 'максимум за {step}',
    menuOf: 'Меню: {title}', more: 'ещё {n} не показано', chart: 'График',
  },
);

export interface ChartProps {
  title: string;
  unit: Unit;
  times: number[];
  lines: Line[];
  /** Seconds that one point stands for; the distance of times when it is left out. */
  step?: number;
  height?: number;
  min?: number;
  max?: number;
  thresholds?: Threshold[];
  marks?: TimeMark[];
  isStacked?: boolean;
  /** What the time axis shows; the ends of the data when it is left out. */
  ends?: [number, number];
  note?: string;
  /** PromQL of the lines, for Explore. */
  queries?: string[];
  /** Lines are maxima of their steps: said in the tooltip. */
  isMaximum?: boolean;
  moreCount?: number;
}

const NO_THRESHOLDS: Threshold[] = [];
const NO_MARKS: TimeMark[] = [];

/** True from the moment when the element is near the view. */
function useInView(element: { current: HTMLElement | null }): boolean {
  const [isSeen, setSeen] = useState(false);
  useEffect(() => {
    if (!element.current || isSeen) return;
    const observer = new IntersectionObserver((entries) => {
      if (entries.some((entry) => entry.isIntersecting)) setSeen(true);
    }, { rootMargin: '200px' });
    observer.observe(element.current);
    return () => observer.disconnect();
  }, []);
  return isSeen;
}

const valueAt = (line: Line, index: number | null): number | null =>
  index === null ? line.values.findLast((value) => value !== null) ?? null : line.values[index] ?? null;

const Swatch = ({ color, isOff = false }: { color: string; isOff?: boolean }) =>
  <i class="swatch" style={{ background: isOff ? 'transparent' : `var(${color})`, borderColor: `var(${color})` }} />;

interface Readout {
  legend: (HTMLElement | null)[];
  tip: HTMLDivElement | null;
  tipTime: HTMLElement | null;
  tipValues: (HTMLElement | null)[];
}

/** Put the tooltip beside the cursor, where there is room. */
function placeTip(tip: HTMLElement, plot: uPlot): void {
  const left = (plot.cursor.left ?? 0) + plot.over.offsetLeft;
  const width = tip.offsetWidth;
  const isLeft = left + width + 24 > plot.width;
  tip.style.left = `${Math.max(0, isLeft ? left - width - 12 : left + 14)}px`;
}

interface PlotHandlers { show: (index: number | null, plot?: uPlot) => void }

/** Make the plot, and keep it in step with what is shown. Returns the plot while there is one. */
function usePlot(box: { current: HTMLDivElement | null }, isSeen: boolean, input: PlotInput, props: ChartProps, handlers: PlotHandlers) {
  const plot = useRef<uPlot | null>(null);
  const current = useRef({ input, props, handlers });
  current.current = { input, props, handlers };
  const data = useMemo(() => plotData(props.times, input), [props.times, input.lines, input.isStacked]);
  const look = input.lines.map((line, index) => colorName(line, index) + line.label + Boolean(line.low)).join('|');

  useEffect(() => {
    const element = box.current;
    if (!element || !isSeen) return;
    const made = new uPlot(plotOptions(element.clientWidth || 300, () => current.current.input, {
      onCursor: (it, index) => current.current.handlers.show(index, it),
      onZoom: (from, to) => setParams({ from: from.toFixed(0), to: to.toFixed(0) }),
      onDraw: (it) => drawOverlay(it, current.current.input.thresholds, current.current.props.marks ?? NO_MARKS, input.unit),
    }), data, element);
    plot.current = made;
    made.over.addEventListener('dblclick', resetZoom);
    const end = followWidth(made, element);
    return () => {
      end();
      plot.current = null;
    };
  }, [isSeen, look, theme.value, lang.value, input.height, input.unit, input.isStacked]);
  useEffect(() => plot.current?.setData(data), [data, input.ends?.[0], input.ends?.[1]]);
  return plot;
}

function csvOf({ times, lines }: ChartProps): string {
  const rows = times.map((time, index) => [new Date(time * 1000).toISOString(), ...lines.map((line) => line.values[index] ?? null)]);
  return toCsv([['time', ...lines.map((line) => line.label)], ...rows]);
}

function chartMenu(props: ChartProps, isTable: boolean, setTable: (on: boolean) => void): MenuItem[] {
  const items: MenuItem[] = [];
  if (props.queries?.length) items.push({ label: t('explore'), href: href('explore', '', { q: props.queries }) });
  items.push({ label: isTable ? t('asGraph') : t('asTable'), onClick: () => setTable(!isTable) });
  const name = (props.title || 'sonde').toLowerCase().replace(/[^\p{L}\p{N}]+/gu, '-');
  items.push({ label: t('csv'), onClick: () => saveText(`${name}.csv`, csvOf(props), 'text/csv') });
  return items;
}

function ValuesTable({ title, unit, times, lines }: ChartProps) {
  const rows = times.map((time, index) => ({ time, index })).reverse();
  const columns = [
    { key: 'time', head: common('time'), cell: ({ time }: { time: number }) => stamp(time) },
    ...lines.map((line, number) => ({
      key: String(number), head: line.label, isNumber: true, cell: ({ index }: { index: number }) => format(line.values[index], unit),
    })),
  ];
  return <Table caption={title} columns={columns} rows={rows} id={({ time }) => String(time)} height={300} />;
}

export function TimeChart(props: ChartProps) {
  useCell(theme);
  useCell(lang);
  const figure = useRef<HTMLElement>(null);
  const box = useRef<HTMLDivElement>(null);
  const read = useRef<Readout>({ legend: [], tip: null, tipTime: null, tipValues: [] });
  const cursor = useRef<number | null>(null);
  const isHeld = useRef(false);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [isTable, setTable] = useState(false);
  const isSeen = useInView(figure);

  const all = props.lines.slice(0, LINES_MAX).map((line, index) => ({ ...line, color: colorName(line, index) }));
  const lines = useMemo(() => all.filter((line) => !hidden.has(line.label)), [props.lines, hidden]);
  const input: PlotInput = {
    lines, unit: props.unit, isStacked: props.isStacked ?? false, height: props.height ?? 150, min: props.min, max: props.max,
    thresholds: props.thresholds ?? NO_THRESHOLDS, ends: props.ends ?? null,
  };
  const step = props.step ?? (props.times[1] ?? 0) - (props.times[0] ?? 0);

  const show = (index: number | null, plot?: uPlot): void => {
    cursor.current = index;
    const { legend, tip, tipTime, tipValues } = read.current;
    all.forEach((line, number) => {
      const element = legend[number];
      if (element) element.textContent = format(valueAt(line, index), props.unit);
    });
    if (!tip || !tipTime) return;
    const isOwn = plot !== undefined && (plot.over.matches(':hover') || document.activeElement === box.current);
    tip.hidden = index === null || !isOwn;
    if (tip.hidden || index === null || !plot) return;
    const suffix = props.isMaximum ? t('maximum', { step: duration(step) }) : duration(step);
    tipTime.textContent = step > 0 ? `${stamp(props.times[index])} · ${suffix}` : stamp(props.times[index]);
    lines.forEach((line, number) => {
      const element = tipValues[number];
      if (!element) return;
      const [low, high] = [line.low?.[index], line.high?.[index]];
      const range = low != null && high != null ? ` (${format(low, props.unit)} – ${format(high, props.unit)})` : '';
      element.textContent = format(line.values[index], props.unit) + range;
    });
    placeTip(tip, plot);
  };
  const plot = usePlot(box, isSeen && !isTable, input, props, { show });
  useEffect(() => show(cursor.current !== null && cursor.current < props.times.length ? cursor.current : null));

  const setHeld = (on: boolean): void => {
    if (on !== isHeld.current) hold(on);
    isHeld.current = on;
  };
  useEffect(() => () => setHeld(false), []);

  const toggle = (label: string): void => {
    const next = new Set(hidden);
    if (!next.delete(label)) next.add(label);
    setHidden(next);
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    const move = arrowStep(event, 'x');
    if (!plot.current || move === 0) return;
    event.preventDefault();
    const last = props.times.length - 1;
    const next = Math.max(0, Math.min(last, (cursor.current ?? last) + move * (event.shiftKey ? 10 : 1)));
    plot.current.setCursor({ left: plot.current.valToPos(props.times[next], 'x'), top: 10 }, true);
  };
  const onBlur = (): void => plot.current?.setCursor({ left: -10, top: -10 }, true);

  const isEmpty = !lines.some((line) => line.values.some((value) => value !== null));
  const spoken = all.map((line) => `${line.label} ${format(valueAt(line, null), props.unit)}`).join(', ');
  return (
    <figure class="chart" ref={figure} onPointerEnter={(event) => setHeld(event.pointerType === 'mouse')} onPointerLeave={() => setHeld(false)}>
      <figcaption>
        <span class="chart-title">{props.title}</span>
        <span class="chart-note">{props.note}</span>
        <Menu label={t('menuOf', { title: props.title || t('chart') })} class="chart-menu" icon="dots" items={chartMenu(props, isTable, setTable)} />
      </figcaption>
      <div class="legend">
        {all.map((line, index) => (
          <button key={line.label} type="button" aria-pressed={!hidden.has(line.label)} onClick={() => toggle(line.label)}>
            <Swatch color={line.color} isOff={hidden.has(line.label)} />
            <span class="legend-name">{line.label}</span>
            <b ref={(element) => { read.current.legend[index] = element; }} />
          </button>
        ))}
        {(props.moreCount ?? 0) > 0 && <span>{t('more', { n: props.moreCount ?? 0 })}</span>}
      </div>
      {isTable ? <ValuesTable {...props} /> : (
        <div
          class="plot" ref={box} tabIndex={0} role="img" aria-label={`${props.title}: ${spoken || common('noSamples')}`}
          style={{ minHeight: `${input.height}px` }} onKeyDown={onKeyDown} onBlur={onBlur}
        >
          {isEmpty && <p class="plot-empty">{common('noSamples')}</p>}
          <div class="tip" ref={(element) => { read.current.tip = element; }} hidden>
            <div class="tip-time" ref={(element) => { read.current.tipTime = element; }} />
            {lines.map((line, index) => (
              <div key={line.label}>
                <Swatch color={line.color ?? ''} /><span>{line.label}</span>
                <b ref={(element) => { read.current.tipValues[index] = element; }} />
              </div>
            ))}
          </div>
        </div>
      )}
    </figure>
  );
}
