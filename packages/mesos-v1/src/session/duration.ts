/** Durations as Mesos writes them: `<number><unit>`, the number may be fractional. */
const UNIT_MS: Record<string, number> = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  secs: 1000,
  mins: 60_000,
  hrs: 3_600_000,
  days: 86_400_000,
  weeks: 604_800_000,
};

/** `15mins` → 900000 (milliseconds), or null if `text` is not a Mesos duration. */
export function parseMesosDuration(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(ns|us|ms|secs|mins|hrs|days|weeks)$/.exec(text.trim());
  const factor = UNIT_MS[match?.[2] ?? ''];
  return factor === undefined ? null : Number(match?.[1]) * factor;
}
