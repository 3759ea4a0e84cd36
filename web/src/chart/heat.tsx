// A latency heatmap: time across, duration up (logarithmic), how many by depth of colour.
import uPlot from 'uplot';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { useCell } from '../lib/cell';
import { duration, integer, stamp } from '../lib/fmt';
import { lang } from '../lib/lang';
import { timesOf } from '../lib/range';
import { theme, token } from '../lib/theme';
import { chosenAxis, timeAxis } from './axes';
import { followWidth, SYNC_KEY } from './plot';

export interface HeatData {
  start: number;
  step: number;
  count: number;
  /** Upper edges in seconds, null at the end for infinity. */
  upper: (number | null)[];
  /** Per step the counts of the buckets; null is a gap. */
  counts: (number[] | null)[];
}

const NICE_SECONDS = [1e-6, 1e-5, 1e-4, 0.001, 0.01, 0.1, 1, 10, 60, 600, 3600];
const LIGHTEST = 0.08;

export interface HeatBucket { low: number; high: number; counts: (number | null)[] }

/** Buckets with finite edges that hold anything, and their neighbours between them. Pure. */
export function heatBuckets({ upper, counts }: HeatData): HeatBucket[] {
  const edges = upper.map((edge, index) => edge ?? (upper[index - 1] ?? 1) * 2);
  const used = edges.map((_, index) => counts.some((row) => (row?.[index] ?? 0) > 0));
  const first = used.indexOf(true);
  const last = used.lastIndexOf(true);
  if (first < 0) return [];
  return edges.slice(first, last + 1).map((high, offset) => {
    const index = first + offset;
    const low = index > 0 ? edges[index - 1] : high / 2;
    return { low, high, counts: counts.map((row) => row?.[index] ?? null) };
  });
}

const rgb = (): number[] => [1, 3, 5].map((at) => parseInt(token('--heat').slice(at, at + 2), 16));

function drawCells(plot: uPlot, buckets: HeatBucket[], { start, step }: HeatData): void {
  const { ctx, bbox } = plot;
  const [red, green, blue] = rgb();
  const most = Math.max(1, ...buckets.map(({ counts }) => Math.max(...counts.map((count) => count ?? 0))));
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const { low, high, counts } of buckets) {
    const bottom = plot.valToPos(low, 'y', true);
    const top = plot.valToPos(high, 'y', true);
    counts.forEach((count, index) => {
      if (!count) return;
      const left = plot.valToPos(start + index * step, 'x', true);
      const right = plot.valToPos(start + (index + 1) * step, 'x', true);
      ctx.fillStyle = `rgba(${red},${green},${blue},${LIGHTEST + (1 - LIGHTEST) * Math.sqrt(count / most)})`;
      ctx.fillRect(Math.floor(left), Math.floor(top), Math.max(1, Math.ceil(right - left) - 1), Math.max(1, Math.ceil(bottom - top) - 1));
    });
  }
  ctx.restore();
}

function describe(plot: uPlot, buckets: HeatBucket[], data: HeatData): string {
  const { left = -1, top = -1 } = plot.cursor;
  if (left < 0 || !plot.over.matches(':hover')) return '';
  const index = Math.floor((plot.posToVal(left, 'x') - data.start) / data.step);
  const value = plot.posToVal(top, 'y');
  const bucket = buckets.find(({ low, high }) => value >= low && value < high);
  if (!bucket || index < 0 || index >= data.count) return '';
  const count = bucket.counts[index];
  return `${stamp(data.start + index * data.step)} · ${duration(bucket.low)}–${duration(bucket.high)} · ${integer(count)}`;
}

function heatOptions(width: number, height: number, data: HeatData, buckets: HeatBucket[], onText: (text: string) => void): uPlot.Options {
  const low = buckets[0].low;
  const high = buckets[buckets.length - 1].high;
  return {
    width, height, padding: [10, 8, 0, 0], legend: { show: false },
    cursor: { sync: { key: SYNC_KEY, setSeries: false }, points: { show: false }, drag: { x: false, y: false } },
    scales: { x: { range: [data.start, data.start + data.count * data.step] }, y: { distr: 3, range: [low, high] } },
    axes: [timeAxis(), chosenAxis(NICE_SECONDS.filter((value) => value >= low && value <= high), duration)],
    series: [{}, { paths: () => null, points: { show: false } }],
    hooks: {
      drawAxes: [(plot) => drawCells(plot, buckets, data)],
      setCursor: [(plot) => onText(describe(plot, buckets, data))],
    },
  };
}

export function Heatmap({ title, data, height = 170, empty }: { title: string; data: HeatData | null; height?: number; empty: string }) {
  const box = useRef<HTMLDivElement>(null);
  const [text, setText] = useState('');
  useCell(theme);
  useCell(lang);
  const buckets = useMemo(() => (data ? heatBuckets(data) : []), [data]);
  useEffect(() => {
    const element = box.current;
    if (!element || !data || buckets.length === 0) return;
    const times = timesOf(data);
    const middle = buckets[Math.floor(buckets.length / 2)].low;
    const plot = new uPlot(heatOptions(element.clientWidth || 300, height, data, buckets, setText), [times, times.map(() => middle)], element);
    return followWidth(plot, element);
  }, [data, theme.value, lang.value, height]);
  return (
    <figure class="chart">
      <figcaption>
        <span class="chart-title">{title}</span>
        <span class="chart-note">{text}</span>
        <span class="heat-ramp" aria-hidden="true"><i /></span>
      </figcaption>
      <div class="plot" ref={box} role="img" aria-label={title} style={{ minHeight: `${height}px` }}>
        {buckets.length === 0 && <p class="plot-empty">{empty}</p>}
      </div>
    </figure>
  );
}
