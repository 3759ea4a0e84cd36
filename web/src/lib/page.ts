// What a page is. Pages are listed in pages/index.ts.
import type { FunctionComponent } from 'preact';
import type { IconName } from '../ui/icons';

export type Group = 'main' | 'investigate' | 'resources' | 'plan' | 'admin';

export interface Page {
  /** Its place in the address: "#/id". */
  id: string;
  title: () => string;
  icon: IconName;
  /** Where it stands in the sidebar; null: nowhere. */
  group: Group | null;
  /** Gets what follows the id in the address: "#/services/NAME". */
  View: FunctionComponent<{ arg: string }>;
  /** Shown to administrators only. */
  isAdminOnly?: boolean;
  /** In the sidebar only when a metric of this name is there; search finds the page anyway. */
  needsMetric?: string;
  /** The same for what is no metric: asked now and then. */
  hasData?: () => Promise<boolean>;
  /** Without sidebar and top bar: sign-in. */
  isBare?: boolean;
  /** The second key of its shortcut "g x". */
  key?: string;
  /** What it shows when the address has no range; 6 h. */
  usualRange?: string;
  /** The page has no time range: hide it in the top bar. */
  isTimeless?: boolean;
}
