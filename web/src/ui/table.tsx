// A sortable table. Of more than 50 rows only those in view are in the document, and rows that go out of view
// lend their elements to those that come.
import type { ComponentChildren } from 'preact';
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { common } from '../i18n/common';
import { useCell } from '../lib/cell';
import { locale } from '../lib/lang';
import { route, setParams } from '../lib/nav';
import { Icon } from './icons';

type SortValue = number | string | null | undefined;

export interface Column<T> {
  key: string;
  head: string;
  cell: (row: T) => ComponentChildren;
  /** What sorting compares; without it the column does not sort. Null and NaN come last, always. */
  sort?: (row: T) => SortValue;
  /** Right-aligned, and sorted largest first. */
  isNumber?: boolean;
  /** 2 goes below 860 pixels, 3 below 1240. */
  priority?: 2 | 3;
  width?: number;
  /** The head is for screen readers only. */
  isHeadHidden?: boolean;
  class?: string;
}

export type Direction = 1 | -1;
export interface Sorting { key: string; direction: Direction }

/** "-count" and "name" of the address. */
export function parseSorting(text: string | null): Sorting | null {
  if (!text) return null;
  return text.startsWith('-') ? { key: text.slice(1), direction: -1 } : { key: text, direction: 1 };
}
export const formatSorting = ({ key, direction }: Sorting): string => (direction < 0 ? '-' : '') + key;

const collators = new Map<string, Intl.Collator>();
function collatorOf(language: string): Intl.Collator {
  let collator = collators.get(language);
  if (!collator) collators.set(language, (collator = new Intl.Collator(language, { numeric: true })));
  return collator;
}

/** Rows in a new order; equal ones keep theirs. */
export function sortRows<T>(rows: T[], value: (row: T) => SortValue, direction: Direction): T[] {
  const collator = collatorOf(locale());
  const isMissing = (x: SortValue): boolean => x === null || x === undefined || (typeof x === 'number' && Number.isNaN(x));
  return rows
    .map((row) => ({ row, key: value(row) }))
    .sort(({ key: a }, { key: b }) => {
      if (isMissing(a) || isMissing(b)) return Number(isMissing(a)) - Number(isMissing(b));
      const order = typeof a === 'number' && typeof b === 'number' ? a - b : collator.compare(String(a), String(b));
      return order * direction;
    })
    .map(({ row }) => row);
}

interface TableProps<T> {
  caption: string;
  columns: Column<T>[];
  rows: T[];
  id: (row: T) => string;
  /** Order without a choice of the user's; without it rows stay as they come. */
  sorting?: Sorting;
  /** Name of the address's parameter for the order: one per table of a page. */
  sortParam?: string;
  onRow?: (row: T) => void;
  /** Instead of rows, when there are none. */
  empty?: ComponentChildren;
  /** Pixels of a table with many rows. */
  height?: number;
}

const WINDOW_ABOVE_ROWS = 50;
const ROW_PX = 38;
const SPARE_ROWS = 6;

function Head<T>({ column, sorting, onSort }: { column: Column<T>; sorting: Sorting | null; onSort: (sorting: Sorting) => void }) {
  const direction = sorting?.key === column.key ? sorting.direction : null;
  const classes = `${column.isNumber ? 'number' : ''} ${column.priority ? `priority-${column.priority}` : ''}`;
  const sort = (): void => onSort({ key: column.key, direction: direction === null ? (column.isNumber ? -1 : 1) : direction === 1 ? -1 : 1 });
  const order = direction === null ? undefined : direction === 1 ? 'ascending' : 'descending';
  return (
    <th scope="col" class={classes} style={column.width ? { width: `${column.width}px` } : undefined} aria-sort={order}>
      {column.sort
        ? (
          <button type="button" onClick={sort}>
            {column.head}
            <span class={`sort-arrow ${direction === null ? '' : 'on'}`}><Icon name={direction === null ? 'sort' : direction === 1 ? 'up' : 'down'} size={11} /></span>
          </button>
        )
        : column.isHeadHidden ? <span class="hidden-text">{column.head}</span> : column.head}
    </th>
  );
}

function Row<T>({ row, columns, onRow, isFixed }: { row: T; columns: Column<T>[]; onRow?: (row: T) => void; isFixed: boolean }) {
  const onClick = onRow && ((event: MouseEvent): void => {
    if (!(event.target as Element).closest('a, button, input')) onRow(row);
  });
  return (
    <tr class={onRow ? 'clickable' : ''} onClick={onClick} style={isFixed ? { height: `${ROW_PX}px` } : undefined}>
      {columns.map((column, index) => {
        const classes = `${column.isNumber ? 'number' : ''} ${column.priority ? `priority-${column.priority}` : ''} ${column.class ?? ''}`;
        return index === 0
          ? <th key={column.key} scope="row" class={classes}>{column.cell(row)}</th>
          : <td key={column.key} class={classes}>{column.cell(row)}</td>;
      })}
    </tr>
  );
}

const Spacer = ({ rows, columns }: { rows: number; columns: number }) =>
  rows > 0 ? <tr aria-hidden="true" class="spacer"><td colSpan={columns} style={{ height: `${rows * ROW_PX}px` }} /></tr> : null;

/** The order: of the address where the table has a name there, else of the component. */
function useSorting(initial: Sorting | undefined, param: string | undefined): [Sorting | null, (next: Sorting) => void] {
  const [own, setOwn] = useState<Sorting | null>(null);
  const { query } = useCell(route);
  if (!param) return [own ?? initial ?? null, setOwn];
  return [
    parseSorting(query.get(param)) ?? initial ?? null,
    (next) => setParams({ [param]: formatSorting(next) }, 'replace'),
  ];
}

/** Whether the content is wider than its box: then the box takes the focus, for scrolling by keys. */
function useOverflow(box: { current: HTMLElement | null }): boolean {
  const [isWide, setWide] = useState(false);
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    const observer = new ResizeObserver(() => setWide(element.scrollWidth > element.clientWidth + 1));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  return isWide;
}

export function Table<T>({ caption, columns, rows, id, sorting: initial, sortParam, onRow, empty, height = 620 }: TableProps<T>) {
  const [sorting, setSorting] = useSorting(initial, sortParam);
  const box = useRef<HTMLDivElement>(null);
  const [top, setTop] = useState(0);
  const isWide = useOverflow(box);
  const compare = columns.find((column) => column.key === sorting?.key)?.sort;
  const sorted = useMemo(
    () => (compare && sorting ? sortRows(rows, compare, sorting.direction) : rows),
    [rows, sorting?.key, sorting?.direction],
  );

  const isWindowed = sorted.length > WINDOW_ABOVE_ROWS;
  const from = isWindowed ? Math.min(Math.max(0, Math.floor(top / ROW_PX) - SPARE_ROWS), sorted.length) : 0;
  const slots = Math.ceil(height / ROW_PX) + 2 * SPARE_ROWS;
  const to = isWindowed ? Math.min(sorted.length, from + slots) : sorted.length;
  const scrolls = isWindowed || isWide;
  return (
    <div
      class={`table-box ${isWindowed ? 'windowed' : ''}`} ref={box} style={isWindowed ? { maxHeight: `${height}px` } : undefined}
      tabIndex={scrolls ? 0 : undefined} role={scrolls ? 'region' : undefined} aria-label={scrolls ? caption : undefined}
      onScroll={isWindowed ? () => setTop(box.current?.scrollTop ?? 0) : undefined}
    >
      <table aria-rowcount={isWindowed ? sorted.length + 1 : undefined}>
        <caption class="hidden-text">{caption}</caption>
        <thead><tr>{columns.map((column) => <Head key={column.key} column={column} sorting={sorting} onSort={setSorting} />)}</tr></thead>
        <tbody>
          <Spacer rows={from} columns={columns.length} />
          {sorted.slice(from, to).map((row, index) => (
            <Row key={isWindowed ? (from + index) % slots : id(row)} row={row} columns={columns} onRow={onRow} isFixed={isWindowed} />
          ))}
          <Spacer rows={sorted.length - to} columns={columns.length} />
          {sorted.length === 0 && <tr><td colSpan={columns.length} class="no-rows">{empty ?? common('noMatch')}</td></tr>}
        </tbody>
      </table>
    </div>
  );
}
