// The text of a server-sent event stream, piece by piece. Pure.

export interface StreamEvent { id: string; event: string; data: string }

/** A reader that takes pieces of text, cut anywhere, and gives the events that they complete. */
export function eventReader(): (piece: string) => StreamEvent[] {
  let rest = '';
  let current: StreamEvent = { id: '', event: '', data: '' };

  function takeLine(line: string, events: StreamEvent[]): void {
    if (line === '') {
      if (current.data !== '') events.push({ ...current, event: current.event || 'message', data: current.data.slice(0, -1) });
      current = { id: current.id, event: '', data: '' };
      return;
    }
    const colon = line.indexOf(':');
    if (colon === 0) return; // a comment: the heartbeat
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? '' : line.slice(colon + 1).replace(/^ /, '');
    if (field === 'data') current.data += value + '\n';
    else if (field === 'event') current.event = value;
    else if (field === 'id') current.id = value;
  }

  return (piece) => {
    const events: StreamEvent[] = [];
    const lines = (rest + piece).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) takeLine(line.endsWith('\r') ? line.slice(0, -1) : line, events);
    return events;
  };
}
