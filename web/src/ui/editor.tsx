// The PromQL editor: a text area over its own text in colour, with completion by the server.
// Enter runs, Shift+Enter breaks the line, Ctrl+Up and Ctrl+Down go through the history, Tab or Enter takes
// the chosen completion, Escape closes the list.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { completionsOf, type Completion } from '../lib/completion';
import { arrowStep } from '../lib/keys';
import { tokenize, wantAt, type ErrorPlace, type Want } from '../lib/promql';

interface EditorProps {
  value: string;
  onChange: (text: string) => void;
  onRun: (text: string) => void;
  label: string;
  /** Queries run before, newest first. */
  history: string[];
  error: ErrorPlace | null;
}

interface Offer { want: Want; list: Completion[]; chosen: number; left: number; top: number }

const LINE_PX = 22;
const PADDING_PX = 12;
const LIST_PX = 340;
const WAIT_MS = 90;

let ruler: CanvasRenderingContext2D | null = null;
/** Width of text in the font of the editor. */
function textWidth(element: HTMLElement, text: string): number {
  ruler ??= document.createElement('canvas').getContext('2d');
  if (!ruler) return text.length * 8.4;
  ruler.font = getComputedStyle(element).font;
  return ruler.measureText(text).width;
}

function offsetOf(source: string, place: ErrorPlace): number {
  const lines = source.split('\n');
  return lines.slice(0, place.line - 1).reduce((sum, line) => sum + line.length + 1, 0) + place.column - 1;
}

function Highlighted({ source, error }: { source: string; error: ErrorPlace | null }) {
  const wrongAt = error ? offsetOf(source, error) : -1;
  const tokens = useMemo(() => tokenize(source), [source]);
  return (
    <>
      {tokens.map(({ kind, text, from }) => {
        const isWrong = wrongAt >= from && wrongAt < from + text.length;
        return kind === 'space' ? text : <span key={from} class={`token-${kind} ${isWrong ? 'token-wrong' : ''}`}>{text}</span>;
      })}
      {'\n'}
    </>
  );
}

/** Ask for completions a moment after the last key; an answer for an older text is dropped. */
function useOffers(area: { current: HTMLTextAreaElement | null }): [Offer | null, (offer: Offer | null) => void, () => void] {
  const [offer, setOffer] = useState<Offer | null>(null);
  const pending = useRef<{ controller: AbortController; timer: number } | null>(null);
  const cancel = (): void => {
    clearTimeout(pending.current?.timer);
    pending.current?.controller.abort();
    pending.current = null;
  };
  const close = (next: Offer | null): void => {
    if (next === null) cancel();
    setOffer(next);
  };
  const ask = (): void => {
    cancel();
    const element = area.current;
    if (!element) return;
    const want = wantAt(element.value, element.selectionStart);
    if (want.kind === 'none') {
      setOffer(null);
      return;
    }
    const controller = new AbortController();
    const timer = window.setTimeout(() => {
      completionsOf(want, controller.signal).then((list) => {
        if (controller.signal.aborted) return;
        const lines = element.value.slice(0, want.from).split('\n');
        const x = PADDING_PX + textWidth(element, lines[lines.length - 1]) - element.scrollLeft;
        const left = Math.max(0, Math.min(x, element.clientWidth - LIST_PX));
        setOffer(list.length > 0 ? { want, list, chosen: 0, left, top: lines.length * LINE_PX + 10 } : null);
      }, () => {}); // without the server there is no completion
    }, WAIT_MS);
    pending.current = { controller, timer };
  };
  useEffect(() => cancel, []);
  return [offer, close, ask];
}

let editorCount = 0;

export function Editor({ value, onChange, onRun, label, history, error }: EditorProps) {
  const area = useRef<HTMLTextAreaElement>(null);
  const copy = useRef<HTMLPreElement>(null);
  const place = useRef(-1); // in the history; -1: what is being written
  const draft = useRef('');
  const id = useMemo(() => `completions-${++editorCount}`, []);
  const [offer, setOffer, ask] = useOffers(area);

  const accept = (completion: Completion): void => {
    const element = area.current;
    if (!element || !offer) return;
    const suffix = completion.kind === 'function' && element.value[element.selectionStart] !== '(' ? '(' : '';
    const text = element.value.slice(0, offer.want.from) + completion.text + suffix;
    // At once, not after the next render: the next key may come before that.
    element.value = text + element.value.slice(element.selectionStart);
    element.setSelectionRange(text.length, text.length);
    onChange(element.value);
    setOffer(null);
  };
  const recall = (move: number): void => {
    if (place.current < 0) draft.current = value;
    place.current = Math.max(-1, Math.min(history.length - 1, place.current + move));
    onChange(place.current < 0 ? draft.current : history[place.current]);
  };
  /** Whether the list of completions took the key. */
  const offerTakes = (event: KeyboardEvent): boolean => {
    if (!offer) return false;
    const move = arrowStep(event, 'y');
    if (move !== 0 && !event.ctrlKey) setOffer({ ...offer, chosen: (offer.chosen + move + offer.list.length) % offer.list.length });
    else if (event.key === 'Tab' || (event.key === 'Enter' && !event.shiftKey && !event.ctrlKey)) accept(offer.list[offer.chosen]);
    else if (event.key === 'Escape') setOffer(null);
    else return false;
    return true;
  };
  const onKeyDown = (event: KeyboardEvent): void => {
    if (offerTakes(event)) {
      event.preventDefault();
    } else if (event.ctrlKey && arrowStep(event, 'y') !== 0) {
      event.preventDefault();
      recall(-arrowStep(event, 'y'));
    } else if (event.key === 'Enter' && !event.shiftKey) {
      event.preventDefault();
      place.current = -1;
      setOffer(null);
      onRun(value);
    }
  };
  const onInput = (text: string): void => {
    place.current = -1;
    onChange(text);
    ask();
  };
  return (
    <div class={`editor ${error ? 'invalid' : ''}`}>
      <pre ref={copy} aria-hidden="true"><Highlighted source={value} error={error} /></pre>
      <textarea
        ref={area} rows={value.split('\n').length} value={value} spellcheck={false} autocapitalize="off" autocomplete="off"
        aria-label={label} aria-autocomplete="list" aria-controls={id} aria-invalid={error !== null}
        aria-activedescendant={offer ? `${id}-${offer.chosen}` : undefined}
        onInput={(event) => onInput(event.currentTarget.value)} onKeyDown={onKeyDown} onBlur={() => setOffer(null)}
        onScroll={(event) => { if (copy.current) copy.current.scrollLeft = event.currentTarget.scrollLeft; }}
      />
      <ul id={id} class="completions" role="listbox" aria-label={label} hidden={!offer} style={offer ? { left: `${offer.left}px`, top: `${offer.top}px` } : undefined}>
        {offer?.list.map((completion, index) => (
          <li
            key={completion.kind + completion.text} id={`${id}-${index}`} role="option" aria-selected={index === offer.chosen}
            onPointerDown={(event) => { event.preventDefault(); accept(completion); }}
          >
            <i aria-hidden="true">{completion.kind[0]}</i><span>{completion.text}</span><small>{completion.note || completion.kind}</small>
          </li>
        ))}
      </ul>
    </div>
  );
}
