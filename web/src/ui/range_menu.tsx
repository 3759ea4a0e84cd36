// The time range: a menu of the usual ones, and two fields that take what people type.
import { useState } from 'preact/hooks';
import { common } from '../i18n/common';
import { shell } from '../i18n/shell';
import { useCell } from '../lib/cell';
import { clock, day, duration } from '../lib/fmt';
import { route, setParams } from '../lib/nav';
import { parseTime, RANGE_NAMES, RANGES, rangeEnds, rangeOf, type TimeRange } from '../lib/range';
import { Dialog } from './dialog';
import { Menu, type MenuItem } from './menu';
import { Field, Refusal } from './parts';

/** What the button says: "Last 6 h", or both ends, with the day when it is not today. */
function rangeText(range: TimeRange, now: number): string {
  if (range.kind === 'last') return shell('last', { time: duration(range.seconds) });
  const end = (time: number): string => (day(time) === day(now) ? clock(time, false) : `${day(time)} ${clock(time, false)}`);
  return `${end(range.from)} – ${end(range.to)}`;
}

const isoText = (time: number): string => {
  const local = new Date((time - new Date(time * 1000).getTimezoneOffset() * 60) * 1000);
  return local.toISOString().slice(0, 16).replace('T', ' ');
};

function CustomRange({ range, onClose }: { range: TimeRange; onClose: () => void }) {
  const now = Date.now() / 1000;
  const [from, setFrom] = useState(isoText(rangeEnds(range, now)[0]));
  const [to, setTo] = useState(range.kind === 'last' ? 'now' : isoText(range.to));
  const [start, end] = [parseTime(from, now), parseTime(to, now)];
  const isWrongOrder = start !== null && end !== null && start >= end;
  const apply = (event: Event): void => {
    event.preventDefault();
    if (start === null || end === null || isWrongOrder) return;
    setParams({ from: start.toFixed(0), to: end.toFixed(0), range: null });
    onClose();
  };
  const note = (time: number | null): string => (time === null ? shell('badTime') : `${day(time)}, ${clock(time)}`);
  return (
    <form onSubmit={apply}>
      <Field label={shell('from')} note={note(start)}>
        <input value={from} aria-invalid={start === null} onInput={(event) => setFrom(event.currentTarget.value)} />
      </Field>
      <Field label={shell('to')} note={note(end)}>
        <input value={to} aria-invalid={end === null} onInput={(event) => setTo(event.currentTarget.value)} />
      </Field>
      <p class="muted">{shell('timeHint')}</p>
      <Refusal>{isWrongOrder ? shell('badOrder') : ''}</Refusal>
      <div class="form-actions">
        <button type="submit" class="button primary" disabled={start === null || end === null || isWrongOrder}>{shell('apply')}</button>
        <button type="button" class="button" onClick={onClose}>{common('cancel')}</button>
      </div>
    </form>
  );
}

export function RangeMenu({ usual }: { usual?: string }) {
  const { query } = useCell(route);
  const [isCustom, setCustom] = useState(false);
  const range = rangeOf(query, usual);
  const text = rangeText(range, Date.now() / 1000);
  const items: MenuItem[] = RANGE_NAMES.map((name) => ({
    label: shell('last', { time: duration(RANGES[name]) }), isCurrent: range.kind === 'last' && range.name === name,
    onClick: () => setParams({ range: name, from: null, to: null }),
  }));
  const isUtc = query.has('utc');
  items.push({ label: shell('custom'), onClick: () => setCustom(true) });
  items.push({ label: shell(isUtc ? 'localTime' : 'utc'), onClick: () => setParams({ utc: isUtc ? null : '1' }) });
  return (
    <>
      <Menu label={`${shell('range')}: ${text}`} icon="clock" text={<span>{text}</span>} items={items} />
      <Dialog isOpen={isCustom} onClose={() => setCustom(false)} title={shell('range')}>
        <CustomRange range={range} onClose={() => setCustom(false)} />
      </Dialog>
    </>
  );
}
