// Light or dark: what the system says, until the user says otherwise. The colours are in style/tokens.css.
import { cell } from './cell';
import { recall, remember } from './storage';

export type Theme = 'light' | 'dark';

const system = matchMedia('(prefers-color-scheme: dark)');
const systemTheme = (): Theme => (system.matches ? 'dark' : 'light');
const isTheme = (text: string | null): text is Theme => text === 'light' || text === 'dark';

let chosen: Theme | null = null;
const tokens = new Map<string, string>();
export const theme = cell<Theme>(systemTheme());

function apply(): void {
  const next = chosen ?? systemTheme();
  document.documentElement.dataset.theme = next;
  tokens.clear();
  theme.set(next);
}

/** @param fromAddress the parameter "theme" of the address: for this visit only. */
export function startTheme(fromAddress: string | null): void {
  const remembered = recall('theme');
  if (isTheme(fromAddress)) chosen = fromAddress;
  else if (isTheme(remembered)) chosen = remembered;
  system.addEventListener('change', apply);
  apply();
}

export function toggleTheme(): void {
  chosen = theme.value === 'dark' ? 'light' : 'dark';
  remember('theme', chosen);
  apply();
}

/** The value of a custom property: canvas knows no var(). Kept until the theme changes: a chart asks at each
 * move of the pointer, and each computed style would lay out the page. */
export function token(name: string): string {
  let value = tokens.get(name);
  if (value === undefined) {
    value = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    tokens.set(name, value);
  }
  return value;
}
