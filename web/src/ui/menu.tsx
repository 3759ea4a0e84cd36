// A button that opens a list of links and actions. Arrow keys move, Escape closes.
import type { ComponentChildren } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { arrowStep } from '../lib/keys';
import { Icon, type IconName } from './icons';

export interface MenuItem { label: ComponentChildren; href?: string; onClick?: () => void; isCurrent?: boolean }

interface MenuProps {
  label: string;
  icon: IconName;
  /** Beside the icon; without it the button is the icon alone. */
  text?: ComponentChildren;
  items: MenuItem[];
  class?: string;
}

export function Menu({ label, icon, text, items, class: extra = '' }: MenuProps) {
  const [isOpen, setOpen] = useState(false);
  const box = useRef<HTMLDivElement>(null);
  const entries = (): HTMLElement[] => [...(box.current?.querySelectorAll<HTMLElement>('.menu-list > *') ?? [])];

  useEffect(() => {
    if (!isOpen) return;
    const closeOutside = (event: Event): void => {
      if (!box.current?.contains(event.target as Node)) setOpen(false);
    };
    addEventListener('pointerdown', closeOutside);
    entries()[0]?.focus();
    return () => removeEventListener('pointerdown', closeOutside);
  }, [isOpen]);

  const close = (): void => {
    setOpen(false);
    box.current?.querySelector('button')?.focus();
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (!isOpen) return;
    if (event.key === 'Escape') close();
    if (event.key === 'Tab') setOpen(false);
    const move = arrowStep(event, 'y');
    if (move === 0) return;
    event.preventDefault();
    const list = entries();
    const index = list.indexOf(document.activeElement as HTMLElement);
    list[(index + move + list.length) % list.length]?.focus();
  };

  return (
    <div class={`menu ${extra}`} ref={box} onKeyDown={onKeyDown}>
      <button
        type="button" class={text ? 'button' : 'icon-button'} aria-haspopup="true" aria-expanded={isOpen}
        aria-label={label} onClick={() => setOpen(!isOpen)}
      >
        <Icon name={icon} />{text}
      </button>
      {isOpen && (
        <div class="menu-list">
          {items.map((item, index) => item.href !== undefined
            ? <a key={index} href={item.href} onClick={() => setOpen(false)}>{item.label}</a>
            : <button key={index} type="button" aria-current={item.isCurrent || undefined} onClick={() => { close(); item.onClick?.(); }}>{item.label}</button>)}
        </div>
      )}
    </div>
  );
}
