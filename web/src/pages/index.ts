// All pages, in the order of the sidebar. A new page is a file here, its import and its line.
import type { Page } from '../lib/page';
import { overview } from './overview';
import { services } from './services';
import { memory } from './memory';
import { system } from './system';
import { cache } from './cache';
import { errors } from './errors';
import { usage } from './usage';
import { admin } from './admin';
import { login, setup } from './sign_in';
import { states } from './states';

export const PAGES: Page[] = [
  overview,
  services,
  errors,
  system,
  memory,
  cache,
  usage,
  admin,
  login,
  setup,
  states,
];
