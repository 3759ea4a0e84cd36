// What a browser remembers for us. Storage may be forbidden or full: then nothing is remembered.

export function remember(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem('sonde.' + key);
    else localStorage.setItem('sonde.' + key, value);
  } catch {
    // Private windows may refuse; the setting then lasts as long as the page.
  }
}

export function recall(key: string): string | null {
  try {
    return localStorage.getItem('sonde.' + key);
  } catch {
    return null;
  }
}
