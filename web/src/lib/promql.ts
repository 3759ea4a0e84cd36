// PromQL as an editor needs it: pieces to colour, what could stand at the cursor, where an error is. Pure;
// the server is who parses.

export type TokenKind = 'comment' | 'string' | 'number' | 'function' | 'keyword' | 'label' | 'metric' | 'operator' | 'space';
export interface Token { kind: TokenKind; text: string; from: number }

export const FUNCTIONS = [
  'abs', 'absent', 'absent_over_time', 'avg_over_time', 'ceil', 'changes', 'clamp', 'clamp_max', 'clamp_min', 'count_over_time',
  'day_of_month', 'day_of_week', 'days_in_month', 'delta', 'deriv', 'double_exponential_smoothing', 'exp', 'floor', 'histogram_avg',
  'histogram_count', 'histogram_fraction', 'histogram_quantile', 'histogram_stddev', 'histogram_sum', 'hour', 'idelta', 'increase',
  'info', 'irate', 'label_join', 'label_replace', 'last_over_time', 'ln', 'log10', 'log2', 'mad_over_time', 'max_over_time',
  'min_over_time', 'minute', 'month', 'predict_linear', 'present_over_time', 'quantile_over_time', 'rate', 'resets', 'round', 'scalar',
  'sgn', 'sort', 'sort_by_label', 'sort_desc', 'sqrt', 'stddev_over_time', 'stdvar_over_time', 'sum_over_time', 'time', 'timestamp',
  'vector', 'year',
];
export const AGGREGATIONS = [
  'avg', 'bottomk', 'count', 'count_values', 'group', 'limitk', 'limit_ratio', 'max', 'min', 'quantile', 'stddev', 'stdvar', 'sum', 'topk',
];
export const WORDS = ['and', 'atan2', 'bool', 'by', 'group_left', 'group_right', 'ignoring', 'offset', 'on', 'or', 'unless', 'without'];

const functionSet = new Set(FUNCTIONS);
const keywordSet = new Set([...AGGREGATIONS, ...WORDS]);

const PIECE = new RegExp([
  '(?<space>\\s+)', '(?<comment>#[^\\n]*)', '(?<string>"(?:[^"\\\\\\n]|\\\\.)*"?|\'(?:[^\'\\\\\\n]|\\\\.)*\'?|`[^`]*`?)',
  '(?<number>0[xX][\\da-fA-F]+|(?:\\d+(?:ms|[smhdwy]))+|\\d+\\.?\\d*(?:[eE][+-]?\\d+)?|\\.\\d+(?:[eE][+-]?\\d+)?)',
  '(?<word>[a-zA-Z_:][\\w:]*)', '(?<operator>[\\s\\S])',
].join('|'), 'y');

/** Which brackets are open: inside "{" and after by ( words are labels. */
interface Nesting { isInBraces: boolean; isLabelList: boolean; lastWord: string }

function kindOfWord(word: string, rest: string, nesting: Nesting): TokenKind {
  if (nesting.isLabelList || nesting.isInBraces) return 'label';
  if (functionSet.has(word) && /^\s*\(/.test(rest)) return 'function';
  return keywordSet.has(word.toLowerCase()) ? 'keyword' : 'metric';
}

const LABEL_LISTS = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);

function follow(nesting: Nesting, text: string): void {
  if (text === '{') nesting.isInBraces = true;
  else if (text === '}') nesting.isInBraces = false;
  else if (text === '(') nesting.isLabelList = LABEL_LISTS.has(nesting.lastWord);
  else if (text === ')') nesting.isLabelList = false;
  nesting.lastWord = '';
}

/** Every character is in exactly one token, in order: what is not understood is an operator. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = [];
  const nesting: Nesting = { isInBraces: false, isLabelList: false, lastWord: '' };
  PIECE.lastIndex = 0;
  for (let match = PIECE.exec(source); match !== null; match = PIECE.exec(source)) {
    const [text] = match;
    const kind = Object.entries(match.groups ?? {}).find(([, value]) => value !== undefined)?.[0] ?? 'operator';
    const from = match.index;
    if (kind === 'word') {
      tokens.push({ kind: kindOfWord(text, source.slice(from + text.length), nesting), text, from });
      nesting.lastWord = text.toLowerCase();
    } else {
      tokens.push({ kind: kind as TokenKind, text, from });
      if (kind === 'operator') follow(nesting, text);
    }
    if (PIECE.lastIndex >= source.length) break;
  }
  return tokens;
}

/** What may be completed at a place. */
export interface Want {
  kind: 'metric' | 'label' | 'value' | 'none';
  /** What is written of it, and where that begins. */
  word: string;
  from: number;
  /** The metric whose labels are meant, where it is known. */
  metric: string;
  /** Of kind value: whose. */
  label: string;
}

const NOTHING: Want = { kind: 'none', word: '', from: 0, metric: '', label: '' };

function metricOf(tokens: Token[], index: number): string {
  const brace = tokens.slice(0, index).findLastIndex(({ text }) => text === '{');
  const before = tokens[brace - 1];
  return brace > 0 && before?.kind === 'metric' ? before.text : '';
}

/** The metric that a "by (...)" speaks of: the first one behind it, else before it. */
const nearMetric = (tokens: Token[], index: number): string =>
  tokens.slice(index).find(({ kind }) => kind === 'metric')?.text ?? tokens.slice(0, index).findLast(({ kind }) => kind === 'metric')?.text ?? '';

function wantInString(tokens: Token[], index: number, position: number): Want {
  const token = tokens[index];
  const meaning = tokens.slice(0, index).filter(({ kind }) => kind !== 'space');
  const label = meaning.findLast(({ kind }) => kind !== 'operator');
  const isOpen = meaning.filter(({ text }) => text === '{').length > meaning.filter(({ text }) => text === '}').length;
  if (!isOpen || label?.kind !== 'label') return NOTHING;
  return { kind: 'value', word: token.text.slice(1, position - token.from), from: token.from + 1, metric: metricOf(tokens, index), label: label.text };
}

export function wantAt(source: string, position: number): Want {
  const tokens = tokenize(source);
  const index = tokens.findIndex(({ from, text }) => from < position && position <= from + text.length);
  if (index < 0) return NOTHING;
  const token = tokens[index];
  if (token.kind === 'string') {
    const isClosed = token.text.length > 1 && token.text.endsWith(token.text[0]);
    return isClosed && position === token.from + token.text.length ? NOTHING : wantInString(tokens, index, position);
  }
  const word = token.text.slice(0, position - token.from);
  if (token.kind === 'label') {
    const metric = metricOf(tokens, index) || nearMetric(tokens, index);
    return { kind: 'label', word, from: token.from, metric, label: '' };
  }
  if (token.kind === 'metric' || token.kind === 'function' || token.kind === 'keyword')
    return { kind: 'metric', word, from: token.from, metric: '', label: '' };
  // Right behind "{", "," or "(" of a list: all labels.
  const probe = tokenize(`${source.slice(0, position)}x`);
  const next = probe[probe.length - 1];
  if (/[{,(]\s*$/.test(source.slice(0, position)) && next?.kind === 'label')
    return { kind: 'label', word: '', from: position, metric: metricOf(probe, probe.length - 1) || nearMetric(tokens, index), label: '' };
  return NOTHING;
}

export interface ErrorPlace { line: number; column: number; message: string }

/** Line and column, from one, of the server's "1:3: parse error: ..."; null when it names none. */
export function errorPlace(message: string): ErrorPlace | null {
  const match = /(?:^|[\s"])(\d+):(\d+): (?:parse error: )?([\s\S]*)$/.exec(message);
  return match ? { line: Number(match[1]), column: Number(match[2]), message: match[3] } : null;
}

/** The line of a place, and a caret under it. */
export function pointAt(source: string, { line, column }: ErrorPlace): string {
  const text = source.split('\n')[line - 1];
  return text === undefined || column - 1 > text.length ? '' : `${text}\n${' '.repeat(column - 1)}^`;
}

/** The unit of a result, as far as names tell. */
export function unitOf(query: string): 'seconds' | 'bytes' | 'bytesPerSecond' | 'ratio' | 'perSecond' | 'number' {
  const isRate = /\b(rate|irate)\s*\(/.test(query);
  const tokens = tokenize(query);
  const hasDivision = tokens.some(({ kind, text }) => kind === 'operator' && text === '/');
  const metrics = tokens.filter(({ kind }) => kind === 'metric').map(({ text }) => text);
  const every = (pattern: RegExp): boolean => metrics.length > 0 && metrics.every((name) => pattern.test(name));
  if (/\bhistogram_(quantile|avg)\s*\(/.test(query)) return every(/_seconds(_bucket)?$/) ? 'seconds' : every(/_bytes(_bucket)?$/) ? 'bytes' : 'number';
  if (every(/_ratio$/)) return 'ratio';
  if (hasDivision) return 'number';
  if (every(/_bytes(_total)?$/)) return isRate ? 'bytesPerSecond' : 'bytes';
  if (every(/_seconds$/) && !isRate) return /_timestamp_seconds$|_start_time_seconds$/.test(metrics[0]) ? 'number' : 'seconds';
  return isRate ? 'perSecond' : 'number';
}
