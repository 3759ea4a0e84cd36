// The list of keys.
import { shell } from '../i18n/shell';
import { useCell } from '../lib/cell';
import type { Page } from '../lib/page';
import { Dialog } from './dialog';
import { isHelpOpen } from './topbar';

function Keys({ keys }: { keys: string[][] }) {
  return (
    <>
      {keys.map((together, index) => (
        <span key={index}>{index > 0 && ` ${shell('or')} `}{together.map((key) => <kbd key={key}>{key}</kbd>)}</span>
      ))}
    </>
  );
}

export function Help({ pages }: { pages: Page[] }) {
  const isOpen = useCell(isHelpOpen);
  const rows: [string[][], string][] = [
    [[['Ctrl', 'K'], ['/']], shell('keySearch')],
    ...pages.filter(({ key }) => key).map((page): [string[][], string] => [[['g', page.key ?? '']], page.title()]),
    [[[shell('space')]], shell('keyLive')],
    [[['['], [']']], shell('keyRange')],
    [[['z']], shell('keyZoom')],
    [[['t']], shell('keyTheme')],
    [[['←'], ['→']], shell('keyChart')],
    [[['?']], shell('keyHelp')],
  ];
  return (
    <Dialog isOpen={isOpen} onClose={() => isHelpOpen.set(false)} title={shell('shortcuts')}>
      <dl class="keys">{rows.map(([keys, text]) => <div key={text}><dt><Keys keys={keys} /></dt><dd>{text}</dd></div>)}</dl>
    </Dialog>
  );
}
