// All pages, in the order of the sidebar. A new page is a file here, its import and its line.
import type { Page } from '../lib/page';
import { admin } from './admin';
import { cache } from './cache';
import { errors } from './errors';
import { explore } from './explore';
import { memory } from './memory';
import { overview } from './overview';
import { services } from './services';
import { login, setup } from './sign_in';
import { states } from './states';
import { system } from './system';
import { trends } from './trends';
import { usage } from './usage';

export const PAGES: Page[] = [
  overview,
  services,
  errors,
  explore,
  system,
  memory,
  cache,
  usage,
  trends,
  admin,
  login,
  setup,
  states,
];
