/** hostdir's own log of attachments, judged: no volume is attached to two machines at once. Pure. */

interface LogLine {
  readonly time: string;
  readonly volume: string;
  readonly instance: string;
  readonly event: 'attached' | 'detached' | 'taken-over' | 'taken-back';
  readonly from?: string;
}

/**
 * @param text one JSON object a line, in the order of writing; `attached` follows the fact, `detached` precedes it
 * @returns what must never be, in words
 */
export function attachmentFaults(text: string): string[] {
  const holders = new Map<string, LogLine>();
  const faults: string[] = [];
  for (const line of text.split('\n').filter((each) => each !== '')) {
    const entry = JSON.parse(line) as LogLine;
    const holder = holders.get(entry.volume);
    const allowed =
      entry.event === 'attached' ? undefined : entry.event === 'taken-over' ? entry.from : entry.instance;
    if (holder?.instance !== allowed) {
      const by = holder === undefined ? 'nobody' : `${holder.instance} since ${holder.time}`;
      faults.push(`${entry.time}: ${entry.volume} is ${entry.event} by ${entry.instance}, but held by ${by}`);
    }
    if (entry.event === 'detached') holders.delete(entry.volume);
    else holders.set(entry.volume, entry);
  }
  return faults;
}

/** When a volume was last attached to a machine before `untilMs`; milliseconds since the Unix epoch. */
export function attachedAtMs(
  text: string,
  volume: string,
  instance: string,
  fromMs: number,
): number | undefined {
  return text
    .split('\n')
    .filter((each) => each !== '')
    .map((line) => JSON.parse(line) as LogLine)
    .filter((entry) => entry.volume === volume && entry.instance === instance && entry.event !== 'detached')
    .map(({ time }) => Date.parse(time))
    .find((atMs) => atMs >= fromMs);
}
