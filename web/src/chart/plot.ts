// Options and data of a uPlot chart from ours.
import uPlot from 'uplot';
import type { Unit } from '../lib/fmt';
import type { Column } from '../lib/history';
import { token } from '../lib/theme';
import { timeAxis, valueAxis } from './axes';
import { stacked, type Line } from './lines';
import type { Threshold } from './overlay';

export const SYNC_KEY = 'sonde';
/** From the fifth line on a dash tells lines apart as well. */
const DASHES = [[], [], [], [], [6, 3], [2, 3], [8, 3, 2, 3], [1, 3]];
const ZOOM_FROM_PX = 8;
/** A threshold up to this factor above the data is brought into view. */
const THRESHOLD_IN_VIEW = 2.2;

export const colorName = (line: Line, index: number): string => line.color ?? `--series-${(index % 8) + 1}`;

export interface PlotInput {
  lines: Line[];
  unit: Unit;
  isStacked: boolean;
  height: number;
  min?: number;
  max?: number;
  thresholds: Threshold[];
  /** What the time axis shows; the data's own ends when null. */
  ends: [number, number] | null;
}

/** Columns for uPlot: time, then per line its values and, where there is one, its band. */
export function plotData(times: number[], { lines, isStacked }: Pick<PlotInput, 'lines' | 'isStacked'>): uPlot.AlignedData {
  if (isStacked) return [times, ...stacked(lines)] as uPlot.AlignedData;
  const columns = lines.flatMap((line): Column[] => (line.low && line.high ? [line.values, line.high, line.low] : [line.values]));
  return [times, ...columns] as uPlot.AlignedData;
}

/** Dots only for samples without a neighbour: a line would not show them. */
function lonelyPoints(plot: uPlot, series: number): number[] {
  const values = plot.data[series];
  const lonely: number[] = [];
  for (let index = 0; index < values.length; index++)
    if (values[index] != null && values[index - 1] == null && values[index + 1] == null) lonely.push(index);
  return lonely;
}

const LONELY: uPlot.Series.Points = {
  width: 1, size: 5, filter: (plot, series) => lonelyPoints(plot, series), show: (plot, series) => lonelyPoints(plot, series).length > 0,
};

interface Drawn {
  series: uPlot.Series[];
  bands: uPlot.Band[];
  /** By series: the custom property of the dot under the cursor; null for an edge of a band. */
  dots: (string | null)[];
}

function drawnSeries(input: PlotInput): Drawn {
  const series: uPlot.Series[] = [{}];
  const bands: uPlot.Band[] = [];
  const dots: (string | null)[] = [null];
  input.lines.forEach((line, index) => {
    const color = colorName(line, index);
    dots.push(color);
    series.push({
      label: line.label, stroke: () => token(color), width: 1.6, spanGaps: false, points: LONELY,
      dash: input.isStacked ? [] : DASHES[index % DASHES.length], fill: input.isStacked ? () => token(color) + '55' : undefined,
    });
    if (input.isStacked && index > 0) bands.push({ series: [index + 1, index] });
    if (!input.isStacked && line.low && line.high) {
      const edge: uPlot.Series = { stroke: 'transparent', width: 0, points: { show: false } };
      series.push(edge, { ...edge });
      dots.push(null, null);
      bands.push({ series: [series.length - 2, series.length - 1], fill: () => token(color) + '26' });
    }
  });
  return { series, bands, dots };
}

/** The ends of the value axis: from zero (or `min`) to the data, or to a threshold that is near. */
export function valueEnds({ min, max, thresholds }: Pick<PlotInput, 'min' | 'max' | 'thresholds'>, low: number | null, high: number | null): [number, number] {
  const data = high ?? 0;
  const near = thresholds.map(({ value }) => value).filter((value) => value <= data * THRESHOLD_IN_VIEW);
  const bottom = min ?? Math.min(0, low ?? 0);
  const top = Math.max(data, ...near);
  const flat = top <= bottom ? 1 : 0; // all zero: an axis to 1 rather than one of no height
  return [bottom, Math.max(max ?? -Infinity, max !== undefined && top <= max ? max : bottom + (top - bottom) * 1.08 + flat)];
}

export interface PlotEvents {
  /** Index under the cursor, or null. */
  onCursor: (plot: uPlot, index: number | null) => void;
  onZoom: (from: number, to: number) => void;
  onDraw: (plot: uPlot) => void;
}

/** Keep the plot as wide as its box. Returns what ends both. */
export function followWidth(plot: uPlot, box: HTMLElement): () => void {
  const observer = new ResizeObserver(() => {
    if (box.clientWidth > 0 && box.clientWidth !== plot.width) plot.setSize({ width: box.clientWidth, height: plot.height });
  });
  observer.observe(box);
  return () => {
    observer.disconnect();
    plot.destroy();
  };
}

/** @param current  what is shown now: axes ask for it each time they are drawn */
export function plotOptions(width: number, current: () => PlotInput, events: PlotEvents): uPlot.Options {
  const input = current();
  const { series, bands, dots } = drawnSeries(input);
  return {
    width, height: input.height, padding: [6, 8, 0, 0], legend: { show: false },
    cursor: {
      sync: { key: SYNC_KEY, setSeries: false }, y: false, drag: { x: true, y: false, setScale: false },
      points: {
        size: (_plot, index) => (dots[index] ? 7 : 0), width: 2,
        stroke: (_plot, index) => token(dots[index] ?? '--surface'), fill: () => token('--surface'),
      },
    },
    scales: {
      x: { time: true, range: (_plot, from, to) => current().ends ?? [from, to] },
      y: { range: (_plot, low, high) => valueEnds(current(), low, high) },
    },
    axes: [timeAxis(), valueAxis(input.unit)],
    series, bands,
    hooks: {
      setCursor: [(plot) => events.onCursor(plot, (plot.cursor.left ?? -1) < 0 ? null : plot.cursor.idx ?? null)],
      setSelect: [(plot) => {
        const { left, width: selected } = plot.select;
        if (selected >= ZOOM_FROM_PX) events.onZoom(plot.posToVal(left, 'x'), plot.posToVal(left + selected, 'x'));
        plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
      }],
      draw: [events.onDraw],
    },
  };
}
