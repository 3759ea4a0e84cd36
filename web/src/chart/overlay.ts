// What is drawn over the lines: thresholds and marks (an alert starts, a deploy).
import type uPlot from 'uplot';
import { format, type Unit } from '../lib/fmt';
import type { Status } from '../lib/status';
import { token } from '../lib/theme';

export interface Threshold { value: number; status: Status; label?: string }
export interface TimeMark { time: number; status: Status | 'info'; label: string }

const LABEL_PX = 10.5;
const ROW_PX = 13;

/** Text that stays readable on lines: with a border of the surface's colour. */
function drawText(context: CanvasRenderingContext2D, text: string, x: number, y: number, ratio: number): void {
  context.textAlign = 'left';
  context.lineWidth = 3 * ratio;
  context.strokeStyle = token('--surface');
  context.strokeText(text, x, y);
  context.fillText(text, x, y);
}

function drawThreshold({ ctx, bbox, valToPos }: uPlot, threshold: Threshold, unit: Unit, ratio: number): void {
  const y = Math.round(valToPos(threshold.value, 'y', true));
  if (y < bbox.top || y > bbox.top + bbox.height) return;
  ctx.strokeStyle = ctx.fillStyle = token(`--${threshold.status}`);
  ctx.lineWidth = ratio;
  ctx.setLineDash([5 * ratio, 4 * ratio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.setLineDash([]);
  drawText(ctx, threshold.label ?? format(threshold.value, unit), bbox.left + 4 * ratio, y - 4 * ratio, ratio);
}

interface Placed { left: number; right: number; row: number }

/** The first row in which a label from left to right does not touch another one. */
export function freeRow(placed: Placed[], left: number, right: number): number {
  for (let row = 0; ; row++)
    if (!placed.some((other) => other.row === row && left < other.right && right > other.left)) return row;
}

function drawMark({ ctx, bbox, valToPos }: uPlot, mark: TimeMark, placed: Placed[], ratio: number): void {
  const x = Math.round(valToPos(mark.time, 'x', true));
  const end = bbox.left + bbox.width;
  if (x < bbox.left || x > end) return;
  ctx.fillStyle = ctx.strokeStyle = token(`--${mark.status}`);
  ctx.lineWidth = ratio;
  ctx.beginPath();
  ctx.moveTo(x + 0.5, bbox.top);
  ctx.lineTo(x + 0.5, bbox.top + bbox.height);
  ctx.stroke();
  ctx.beginPath();
  ctx.moveTo(x - 4 * ratio, bbox.top);
  ctx.lineTo(x + 4 * ratio, bbox.top);
  ctx.lineTo(x, bbox.top + 6 * ratio);
  ctx.fill();
  const width = ctx.measureText(mark.label).width;
  const left = x + width + 12 * ratio > end ? x - width - 7 * ratio : x + 7 * ratio;
  const row = freeRow(placed, left, left + width);
  placed.push({ left, right: left + width + 6 * ratio, row });
  drawText(ctx, mark.label, left, bbox.top + (9 + row * ROW_PX) * ratio, ratio);
}

export function drawOverlay(plot: uPlot, thresholds: Threshold[], marks: TimeMark[], unit: Unit): void {
  const ratio = devicePixelRatio;
  plot.ctx.save();
  plot.ctx.font = `${LABEL_PX * ratio}px ${token('--font')}`;
  for (const threshold of thresholds) drawThreshold(plot, threshold, unit, ratio);
  const placed: Placed[] = [];
  for (const mark of marks) drawMark(plot, mark, placed, ratio);
  plot.ctx.restore();
}
