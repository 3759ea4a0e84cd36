// What a user asks the server to do: whether it is under way, and why it was refused.
import { useState } from 'preact/hooks';

export interface Action {
  /** Why the last try failed; empty when it did not. */
  message: string;
  isBusy: boolean;
  setMessage: (text: string) => void;
  /** Does nothing while one is under way. Never rejects. */
  run: (action: () => Promise<void>) => Promise<void>;
}

/** @param words  what is said of an error; the server's own sentence when left out */
export function useAction(words = (error: Error): string => error.message): Action {
  const [message, setMessage] = useState('');
  const [isBusy, setBusy] = useState(false);
  const run = async (action: () => Promise<void>): Promise<void> => {
    if (isBusy) return;
    setBusy(true);
    setMessage('');
    try {
      await action();
    } catch (error) {
      setMessage(words(error as Error));
    } finally {
      setBusy(false);
    }
  };
  return { message, isBusy, setMessage, run };
}
