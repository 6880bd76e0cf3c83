/**
 * Does something with a signal that aborts after `limitMs`, or as soon as one of `stopped` does. Built by hand: of
 * `AbortSignal.any([…, AbortSignal.timeout(ms)])` nobody holds the timeout, so that Node's garbage collector takes it
 * along (20.20 does), and the limit never comes.
 */
export async function within<T>(
  limitMs: number,
  stopped: readonly AbortSignal[],
  act: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const ended = new AbortController();
  const end = (): void => ended.abort();
  const timer = setTimeout(end, limitMs);
  for (const signal of stopped) {
    if (signal.aborted) end();
    else signal.addEventListener('abort', end);
  }
  try {
    return await act(ended.signal);
  } finally {
    clearTimeout(timer);
    for (const signal of stopped) signal.removeEventListener('abort', end);
  }
}
