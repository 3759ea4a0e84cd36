// Axes: steps that people expect, and their texts.
import uPlot from 'uplot';
import { clock, day, format, type Unit } from '../lib/fmt';
import { token } from '../lib/theme';

const DAY_S = 86400;
const SECONDS = [1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 2e-4, 5e-4, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5,
  10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, DAY_S, 2 * DAY_S, 5 * DAY_S, 10 * DAY_S, 30 * DAY_S];
const POWERS_OF_TWO = Array.from({ length: 52 }, (_, power) => 2 ** power);
const STEPS: Partial<Record<Unit, number[]>> = { seconds: SECONDS, bytes: POWERS_OF_TWO, bytesPerSecond: POWERS_OF_TWO };

const spanOf = (plot: uPlot): number => (plot.scales.x.max ?? 0) - (plot.scales.x.min ?? 0);

/** Clock times; where a day begins, the date below. */
function timeTexts(plot: uPlot, times: number[], _axis: number, _space: number, step: number): string[] {
  let before = '';
  return times.map((time) => {
    const date = day(time);
    const isFirst = date !== before;
    before = date;
    if (step >= DAY_S) return date;
    const text = clock(time, step < 60);
    return isFirst && spanOf(plot) > DAY_S * 0.9 ? `${text}\n${date}` : text;
  });
}
const timeSize = (plot: uPlot): number => (spanOf(plot) > DAY_S * 0.9 && spanOf(plot) < DAY_S * 8 ? 30 : 19);

const base = (): uPlot.Axis => ({
  stroke: () => token('--muted'), ticks: { show: false }, font: `11px ${token('--font')}`,
  grid: { stroke: () => token('--grid'), width: 1 },
});

export const timeAxis = (): uPlot.Axis => ({ ...base(), size: timeSize, space: 64, gap: 4, values: timeTexts });

const CHAR_PX = 6.1;
export const valueAxis = (unit: Unit): uPlot.Axis => ({
  ...base(), space: 30, gap: 5, incrs: STEPS[unit],
  size: (_plot, texts) => Math.max(34, ...(texts ?? []).map((text) => text.length * CHAR_PX + 10)),
  values: (_plot, values) => values.map((value) => format(value, unit)),
});

/** An axis without a grid, with values of its own choice. */
export const chosenAxis = (values: number[], text: (value: number) => string): uPlot.Axis => ({
  ...base(), grid: { show: false }, size: 54, gap: 5, filter: (_plot, splits) => splits, splits: () => values,
  values: (_plot, splits) => splits.map((value) => (value === null ? '' : text(value))),
});
