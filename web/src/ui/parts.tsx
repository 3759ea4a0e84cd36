// Small parts of pages. Native elements first; see style/parts.css.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { common } from '../i18n/common';
import { arrowStep } from '../lib/keys';
import { statusClass, statusName, type Status } from '../lib/status';
import { Icon, Mark } from './icons';

interface CardProps {
  title?: ComponentChildren;
  /** On the right of the title: filters, counts, buttons. */
  actions?: ComponentChildren;
  children: ComponentChildren;
  /** Columns of the twelve. */
  span?: number;
  /** The content reaches the border: tables and lists. */
  isFlush?: boolean;
  class?: string;
}

export function Card({ title, actions, children, span, isFlush = false, class: extra = '' }: CardProps) {
  const classes = `card ${isFlush ? '' : 'padded'} ${span ? `span-${span}` : ''} ${extra}`;
  return (
    <section class={classes}>
      {(title || actions) && (
        <header class="card-head">
          <h2>{title}</h2>
          <div class="card-actions">{actions}</div>
        </header>
      )}
      {children}
    </section>
  );
}

/** Status as a word on its colour. */
export function Badge({ status, text }: { status: Status | 'info'; text?: string }) {
  return <span class={`badge badge-${status}`}><Mark status={status} size={12} />{text ?? statusName(status)}</span>;
}

/** Status as a mark, its word for screen readers only. */
export function StatusMark({ status, size }: { status: Status; size?: number }) {
  return <><Mark status={status} size={size} /><span class="hidden-text">{statusName(status)}</span></>;
}

interface StatProps { label: string; value: ComponentChildren; note?: ComponentChildren; status?: Status | null }
/** One figure of a row of figures: inside <Stats>. */
export function Stat({ label, value, note, status }: StatProps) {
  return (
    <div class="stat">
      <dt>{label}</dt>
      <dd class={statusClass(status)}>{value}{note && <small>{note}</small>}</dd>
    </div>
  );
}
export function Stats({ children }: { children: ComponentChildren }) {
  return <dl class="stats">{children}</dl>;
}

interface MeterProps { value: number | null; label: string; warning?: number; critical?: number }
/** A ratio of 1 as a bar. */
export function Meter({ value, label, warning = 0.8, critical = 0.9 }: MeterProps) {
  const ratio = Math.min(1, Math.max(0, value ?? 0));
  const kind = ratio >= critical ? 'critical' : ratio >= warning ? 'warning' : '';
  return (
    <span class="meter" role="meter" aria-valuenow={Math.round(ratio * 100)} aria-valuemin={0} aria-valuemax={100} aria-label={label}>
      <i class={kind} style={{ width: `${ratio * 100}%` }} />
    </span>
  );
}

/** A part of the largest, 0 to 1, beside its number. */
export const Bar = ({ ratio }: { ratio: number }) => <span class="share" aria-hidden="true"><i style={{ width: `${ratio * 100}%` }} /></span>;

/** Facts by name, one per line. */
export function KeyValues({ facts }: { facts: [string, string][] }) {
  return <dl class="key-values">{facts.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}</dl>;
}

interface ZonesProps {
  value: number;
  /** The limits of good and of critical; the larger is good when higherIsBetter. */
  good: number;
  critical: number;
  higherIsBetter: boolean;
  text: (value: number) => string;
}

/** Where the zones begin and the value stands, in percent of the bar. Pure. */
export function zonePlaces({ value, good, critical, higherIsBetter }: Omit<ZonesProps, 'text'>) {
  const [low, high] = higherIsBetter ? [critical, good] : [good, critical];
  const margin = Math.max((high - low) * 0.6, Math.abs(high) * 0.05);
  const from = higherIsBetter ? Math.min(low - (high - low), value - margin * 0.2) : 0;
  const to = higherIsBetter ? Math.max(high + margin, value) : Math.max(high + margin, value * 1.05);
  const top = higherIsBetter && high <= 1 ? Math.max(1, value) : to;
  const percent = (x: number) => Math.min(100, Math.max(0, ((x - from) / (top - from)) * 100));
  return { low: percent(low), high: percent(high), value: percent(value), lowValue: low, highValue: high };
}

/** A value among good, warning and critical, with both limits written under the bar. */
export function Zones(props: ZonesProps) {
  const { low, high, value, lowValue, highValue } = zonePlaces(props);
  const kinds: Status[] = props.higherIsBetter ? ['critical', 'warning', 'good'] : ['good', 'warning', 'critical'];
  const widths = [low, high - low, 100 - high];
  return (
    <div>
      <div class="zones" aria-hidden="true">
        {kinds.map((kind, index) => <i key={kind} class={`zone-${kind}`} style={{ width: `${widths[index]}%` }} />)}
        <em style={{ left: `${value}%` }} />
      </div>
      <div class={`zone-limits ${high - low < 20 || high > 86 ? 'tight' : ''}`}>
        <span style={{ left: `${low}%` }}>{props.text(lowValue)}</span>
        <span class={high > 86 ? 'at-end' : ''} style={{ left: `${high}%` }}>{props.text(highValue)}</span>
      </div>
    </div>
  );
}

interface FilterProps { value: string; onChange: (text: string) => void; label?: string; found?: number; total?: number }
export function Filter({ value, onChange, label, found, total }: FilterProps) {
  const name = label ?? common('filter');
  return (
    <label class="filter">
      <Icon name="search" size={14} />
      <span class="hidden-text">{name}</span>
      <input type="search" value={value} placeholder={name} onInput={(event) => onChange(event.currentTarget.value)} />
      {value && found !== undefined && <small>{found}/{total}</small>}
    </label>
  );
}

interface Choice<K extends string> { key: K; label: ComponentChildren; name?: string }
/** Buttons of which one is pressed. */
export function Chips<K extends string>({ choices, value, onChange, label }: { choices: Choice<K>[]; value: K; onChange: (key: K) => void; label: string }) {
  return (
    <div class="chips" role="group" aria-label={label}>
      {choices.map(({ key, label: text, name }) => (
        <button key={key} type="button" aria-pressed={key === value} aria-label={name} onClick={() => onChange(key)}>{text}</button>
      ))}
    </div>
  );
}

/** Tabs; the arrow keys move. The caller shows what belongs to `value`. */
export function Tabs<K extends string>({ choices, value, onChange, label }: { choices: Choice<K>[]; value: K; onChange: (key: K) => void; label: string }) {
  const box = useRef<HTMLDivElement>(null);
  const onKeyDown = (event: KeyboardEvent): void => {
    const move = arrowStep(event, 'x');
    if (move === 0) return;
    event.preventDefault();
    const index = choices.findIndex(({ key }) => key === value);
    const next = (index + move + choices.length) % choices.length;
    onChange(choices[next].key);
    box.current?.querySelectorAll<HTMLElement>('[role=tab]')[next]?.focus();
  };
  return (
    <div class="tabs" role="tablist" aria-label={label} ref={box} onKeyDown={onKeyDown}>
      {choices.map(({ key, label: text }) => (
        <button key={key} type="button" role="tab" aria-selected={key === value} tabIndex={key === value ? 0 : -1} onClick={() => onChange(key)}>
          {text}
        </button>
      ))}
    </div>
  );
}

/** Why something was not done. */
export const Refusal = ({ children }: { children: string }) => (children ? <p class="refusal" role="alert">{children}</p> : null);

const COPIED_FOR_MS = 1500;
/** Text to copy. */
export function Code({ children }: { children: string }) {
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) return;
    const timer = setTimeout(() => setCopied(false), COPIED_FOR_MS);
    return () => clearTimeout(timer);
  }, [isCopied]);
  const copy = (): void => void navigator.clipboard?.writeText(children).then(() => setCopied(true), () => {});
  return (
    <div class="code">
      <pre tabIndex={0}>{children}</pre>
      <button type="button" class="icon-button" aria-label={common('copy')} onClick={copy}><Icon name={isCopied ? 'check' : 'copy'} /></button>
      <span class="hidden-text" role="status">{isCopied ? common('copied') : ''}</span>
    </div>
  );
}

interface FieldProps { label: string; children: ComponentChildren; note?: ComponentChildren }
/** A label above an input. */
export function Field({ label, children, note }: FieldProps) {
  return <label class="field"><span>{label}</span>{children}{note && <small>{note}</small>}</label>;
}
