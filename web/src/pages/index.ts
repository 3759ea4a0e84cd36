// All pages, in the order of the sidebar. A new page is a file here, its import and its line.
import type { Page } from '../lib/page';
import { overview } from './overview';
import { services } from './services';
import { states } from './states';

export const PAGES: Page[] = [
  overview,
  services,
  states,
];
