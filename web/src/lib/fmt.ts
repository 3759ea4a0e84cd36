// Numbers, units and times as people read them. Values come in base units: seconds, bytes, ratios of 1.
import { lang, locale } from './lang';

export type Unit =
  | 'number' | 'ratio' | 'seconds' | 'bytes' | 'bytesPerSecond' | 'perSecond' | 'watts' | 'celsius' | 'framesPerSecond';

/** Narrow no-break space, between a number and its unit. */
const GAP = '\u202f';
export const NONE = '–';

const formats = new Map<string, Intl.NumberFormat>();

function decimal(value: number, digits: number): string {
  const key = `${locale()} ${digits}`;
  let format = formats.get(key);
  if (!format) formats.set(key, (format = new Intl.NumberFormat(locale(), { maximumFractionDigits: digits })));
  return format.format(value).replace(/^-(0([.,]0*)?)$/, '$1'); // no "-0"
}

/** Three significant digits at most, never an exponent. */
export function significant(value: number): string {
  const size = Math.abs(value);
  if (size === 0 || size >= 100) return decimal(value, 0);
  if (size >= 10) return decimal(value, 1);
  if (size >= 0.1) return decimal(value, 2);
  return decimal(value, Math.min(9, 2 - Math.floor(Math.log10(size))));
}

export const integer = (value: number | null): string => (value === null ? NONE : decimal(value, 0));

const UNITS = {
  en: {
    bytes: ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'], second: '/s', watts: 'W', frames: 'fps',
    micro: 'µs', milli: 'ms', s: 's', min: 'min', h: 'h', d: 'd', thousands: ['', 'k', 'M', 'G', 'T'],
  },
  ru: {
    bytes: ['Б', 'КиБ', 'МиБ', 'ГиБ', 'ТиБ', 'ПиБ'], second: '/с', watts: 'Вт', frames: 'к/с',
    micro: 'мкс', milli: 'мс', s: 'с', min: 'мин', h: 'ч', d: 'д', thousands: ['', 'тыс.', 'млн', 'млрд', 'трлн'],
  },
};
const units = () => UNITS[lang.value];

function scaled(value: number, step: number, names: readonly string[], suffix = ''): string {
  let power = 0;
  let rest = value;
  // 999.6 would be written as "1,000": it takes the next unit as well.
  while (Math.abs(rest) >= step - 0.5 && power < names.length - 1) {
    rest /= step;
    power++;
  }
  const unit = names[power] + suffix;
  return unit ? significant(rest) + GAP + unit : significant(rest);
}

/** Plain numbers are written out up to 9,999. */
function plain(value: number, suffix = ''): string {
  if (Math.abs(value) < 9999.5) return significant(value) + (suffix ? GAP + suffix : '');
  return scaled(value, 1000, units().thousands, suffix);
}

/** A value with its unit: "12.4 /s", "1.24 s", "3.1 GiB", "93.4 %". */
export function format(value: number | null | undefined, unit: Unit = 'number'): string {
  if (value === null || value === undefined || Number.isNaN(value)) return NONE;
  if (!Number.isFinite(value)) return value > 0 ? '∞' : '-∞';
  switch (unit) {
    case 'number': return plain(value);
    case 'ratio': return significant(value * 100) + GAP + '%';
    case 'seconds': return duration(value);
    case 'bytes': return scaled(value, 1024, units().bytes);
    case 'bytesPerSecond': return scaled(value, 1024, units().bytes, units().second);
    case 'perSecond': return plain(value, units().second);
    case 'watts': return significant(value) + GAP + units().watts;
    case 'celsius': return significant(value) + GAP + '°C';
    case 'framesPerSecond': return significant(value) + GAP + units().frames;
  }
}

const sign = (value: number): string => (value < 0 ? '−' : '+');

/** A change with its sign: "+9.4 s", "−3.2 %" of what was before. */
export const signed = (value: number, unit: Unit): string => sign(value) + format(Math.abs(value), unit);

/** A difference with its sign: "+9.4 s", "−3.2 pt" of ratios. */
export function difference(value: number, unit: Unit): string {
  if (unit !== 'ratio') return signed(value, unit);
  return sign(value) + significant(Math.abs(value) * 100) + GAP + (lang.value === 'ru' ? 'п.п.' : 'pt');
}

interface Part { seconds: number; name: string }

/** The two largest units of a long time: "2 h 21 min"; below a minute with fractions: "1.24 s". */
export function duration(seconds: number): string {
  if (seconds < 0) return '−' + duration(-seconds);
  const u = units();
  if (seconds === 0) return '0' + GAP + u.s;
  if (seconds < 0.0009995) return significant(seconds * 1e6) + GAP + u.micro;
  if (seconds < 0.9995) return significant(seconds * 1000) + GAP + u.milli;
  if (seconds < 59.95) return significant(seconds) + GAP + u.s;
  const parts: Part[] = [
    { seconds: 86400, name: u.d }, { seconds: 3600, name: u.h }, { seconds: 60, name: u.min }, { seconds: 1, name: u.s },
  ];
  let whole = Math.round(seconds);
  const first = parts.findIndex((part) => whole >= part.seconds);
  const second = parts[first + 1];
  whole = Math.round(whole / second.seconds) * second.seconds;
  const large = Math.floor(whole / parts[first].seconds);
  const small = Math.round((whole % parts[first].seconds) / second.seconds);
  const text = large + GAP + parts[first].name;
  return small > 0 ? `${text} ${small}${GAP}${second.name}` : text;
}

/** Time since, in one unit: "3 min ago". */
export function ago(time: number | null | undefined, now: number): string {
  if (time === null || time === undefined) return NONE;
  const u = units();
  const seconds = Math.max(0, now - time);
  const [size, name] = seconds < 60 ? [1, u.s] : seconds < 3600 ? [60, u.min] : seconds < 86400 ? [3600, u.h] : [86400, u.d];
  const text = Math.floor(seconds / size) + GAP + name;
  return lang.value === 'ru' ? `${text} назад` : `${text} ago`;
}

// ---- clock ----

let isUtc = false;
/** Times in UTC instead of the browser's zone. */
export function showUtc(on: boolean): void {
  isUtc = on;
}

const dates = new Map<string, Intl.DateTimeFormat>();
function date(time: number, options: Intl.DateTimeFormatOptions): string {
  const key = locale() + isUtc + JSON.stringify(options);
  let found = dates.get(key);
  if (!found) {
    found = new Intl.DateTimeFormat(locale(), { ...options, timeZone: isUtc ? 'UTC' : undefined });
    dates.set(key, found);
  }
  return found.format(time * 1000);
}

const CLOCK = { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' } as const;
/** "21:08" or "21:08:00". */
export const clock = (time: number, hasSeconds = true): string =>
  date(time, hasSeconds ? { ...CLOCK, second: '2-digit' } : CLOCK);
/** "27 Nov". */
export const day = (time: number): string => date(time, { day: 'numeric', month: 'short' });
/** "27 Nov, 21:08:00", with the zone when it is not the browser's. */
export const stamp = (time: number): string => `${day(time)}, ${clock(time)}${isUtc ? ' UTC' : ''}`;
