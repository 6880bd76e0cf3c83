/**
 * RecordIO: `<length in bytes, decimal>\n<that many bytes>`, the next record directly behind. Chunk borders
 * of HTTP mean nothing. Pure: the state goes in and comes out.
 */
export interface RecordioLimits {
  /** A longer record is an error rather than an allocation. Bytes. */
  maxRecordBytes: number;
}

/** Offers of a big cluster take a few MB; more than this is not a stream of events. */
export const DEFAULT_RECORDIO_LIMITS: RecordioLimits = { maxRecordBytes: 64 * 1024 * 1024 };

export interface RecordioState {
  readonly limits: RecordioLimits;
  /** Digits of a length whose newline has not come yet. */
  readonly header: string;
  /** Set while a record's bytes are awaited. */
  readonly wanted: number | null;
  /** What came of the record so far; joined once, when it is complete. */
  readonly parts: readonly Uint8Array[];
  readonly received: number;
  /** After an error there is no way to find the next record: the stream is unusable. */
  readonly failed: string | null;
}

export type RecordioResult =
  | { state: RecordioState; records: Uint8Array[] }
  | { state: RecordioState; records: Uint8Array[]; error: string };

const NEWLINE = 0x0a;
/** u64 has at most 20 digits. */
const MAX_LENGTH_DIGITS = 20;

export function initialRecordio(limits: RecordioLimits = DEFAULT_RECORDIO_LIMITS): RecordioState {
  return { limits, header: '', wanted: null, parts: [], received: 0, failed: null };
}

/**
 * Takes the next bytes in. `records` are those completed by this chunk, in order, also when `error` is set
 * (they came before the fault). After an error the stream is unusable; further chunks give the same error.
 */
export function decodeRecordio(state: RecordioState, chunk: Uint8Array): RecordioResult {
  if (state.failed !== null) return { state, records: [], error: state.failed };
  const records: Uint8Array[] = [];
  let current = state;
  let rest = chunk;
  while (rest.length > 0 || current.wanted === 0) {
    const step =
      current.wanted === null ? readLength(current, rest) : readBody(current, rest, current.wanted);
    if ('error' in step) {
      return { state: { ...current, parts: [], failed: step.error }, records, error: step.error };
    }
    if (step.record) records.push(step.record);
    current = step.state;
    rest = step.rest;
  }
  return { state: current, records };
}

/** Null if the stream may end here, else what is torn. */
export function recordioEndFault(state: RecordioState): string | null {
  if (state.failed !== null) return state.failed;
  if (state.wanted !== null) {
    return `the stream ended inside a record: ${state.received} of ${state.wanted} bytes had come`;
  }
  return state.header === ''
    ? null
    : `the stream ended inside a record's length: ${JSON.stringify(state.header)}`;
}

type Step = { state: RecordioState; rest: Uint8Array; record?: Uint8Array } | { error: string };

function readLength(state: RecordioState, bytes: Uint8Array): Step {
  const newline = bytes.indexOf(NEWLINE);
  const end = newline === -1 ? bytes.length : newline;
  const shown = Buffer.from(bytes.subarray(0, Math.min(end, MAX_LENGTH_DIGITS + 1))).toString('latin1');
  const header = state.header + shown;
  const fault = headerFault(header, newline !== -1);
  if (fault !== null) return { error: fault };
  if (newline === -1) return { state: { ...state, header }, rest: bytes.subarray(end) };
  const wanted = Number(header);
  const limit = state.limits.maxRecordBytes;
  if (wanted > limit) return { error: `a record of ${header} bytes is over the limit of ${limit} bytes` };
  return {
    state: { ...state, header: '', wanted, received: 0, parts: [] },
    rest: bytes.subarray(newline + 1),
  };
}

function headerFault(header: string, complete: boolean): string | null {
  const shown = JSON.stringify(header.slice(0, MAX_LENGTH_DIGITS + 1));
  if (complete && header === '') return 'a record has no length (empty line where digits should be)';
  if (!/^\d*$/.test(header)) return `a record's length is not a decimal number: ${shown}`;
  if (header.length > MAX_LENGTH_DIGITS) {
    return `a record's length has more than ${MAX_LENGTH_DIGITS} digits: ${shown}`;
  }
  return null;
}

function readBody(state: RecordioState, bytes: Uint8Array, wanted: number): Step {
  const taken = bytes.subarray(0, wanted - state.received);
  const rest = bytes.subarray(taken.length);
  const parts = taken.length > 0 ? [...state.parts, taken] : state.parts;
  const received = state.received + taken.length;
  if (received < wanted) return { state: { ...state, parts, received }, rest };
  const record = new Uint8Array(Buffer.concat(parts, wanted));
  return { state: { ...state, wanted: null, parts: [], received: 0 }, rest, record };
}
