// The filter box of a page: its text is in the address.
import { setParams } from './nav';

export const filterOf = (query: URLSearchParams): string => query.get('q') ?? '';
export const setFilter = (text: string): void => setParams({ q: text || null }, 'replace');

/** Whether the filter lets a text through: it is somewhere in it. */
export const passes = (text: string, filter: string): boolean => text.toLowerCase().includes(filter.toLowerCase());
