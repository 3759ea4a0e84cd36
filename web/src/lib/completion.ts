// What completes a word of PromQL: functions and keywords we know, names and values from the server.
import { ApiError, apiPath, request } from './api';
import { AGGREGATIONS, FUNCTIONS, WORDS, type Want } from './promql';

export interface Completion {
  text: string;
  kind: 'metric' | 'label' | 'value' | 'function' | 'keyword';
  note: string;
}

const LIMIT = 50;
const SHOWN_MAX = 12;

interface SearchAnswer { metrics: { name: string; type: string; help: string }[] }

async function metricNames(word: string, signal: AbortSignal): Promise<Completion[]> {
  try {
    const { metrics } = await request<SearchAnswer>(apiPath('v1/search', { q: word, limit: LIMIT }), { signal });
    return metrics.map(({ name, type, help }) => ({ text: name, kind: 'metric', note: help || type }));
  } catch (error) {
    if (error instanceof ApiError) return []; // functions still complete
    throw error;
  }
}

const matchOf = (metric: string): Record<string, string> => (metric ? { 'match[]': metric } : {});

async function names(path: string, want: Want, kind: 'label' | 'value', signal: AbortSignal): Promise<Completion[]> {
  const params = { q: want.word || undefined, limit: LIMIT, ...matchOf(want.metric) };
  const found = await request<string[]>(apiPath(path, params), { signal });
  return found.filter((text) => text !== '__name__').map((text) => ({ text, kind, note: '' }));
}

const known = (list: string[], kind: Completion['kind']): Completion[] => list.map((text) => ({ text, kind, note: '' }));
const KNOWN = [...known(FUNCTIONS, 'function'), ...known(AGGREGATIONS, 'function'), ...known(WORDS, 'keyword')];

/** Those that hold the word; that begin with it first, then the shorter ones. Pure. */
export function ranked(completions: Completion[], word: string): Completion[] {
  const lower = word.toLowerCase();
  const begins = ({ text }: Completion): number => Number(text.toLowerCase().startsWith(lower));
  return completions
    .filter(({ text }) => text !== word && text.toLowerCase().includes(lower))
    .sort((a, b) => begins(b) - begins(a) || a.text.length - b.text.length || (a.text < b.text ? -1 : 1))
    .slice(0, SHOWN_MAX);
}

export async function completionsOf(want: Want, signal: AbortSignal): Promise<Completion[]> {
  switch (want.kind) {
    case 'none': return [];
    case 'metric': return want.word ? ranked([...KNOWN, ...await metricNames(want.word, signal)], want.word) : [];
    case 'label': return ranked(await names('v1/labels', want, 'label', signal), want.word);
    case 'value': return ranked(await names(`v1/label/${encodeURIComponent(want.label)}/values`, want, 'value', signal), want.word);
  }
}
