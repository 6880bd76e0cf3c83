/** Calls other than SUBSCRIBE, over one keep-alive socket, so that they arrive in the order they were made. */
import type http from 'node:http';
import type { Clock } from './clock.ts';
import type { ConnectionOptions } from './connection.ts';
import { describeFault, post, readAnswer, requestHeaders, singleSocketAgent } from './connection.ts';

/** Documented advice for the answer to a plain call. */
export const DEFAULT_CALL_TIMEOUT_MS = 75_000;

export type CallAnswer =
  | { kind: 'answered'; status: number; body: string }
  /** Nothing was sent. */
  | { kind: 'not-sent'; reason: string }
  /** The connection broke or time ran out; the call may have been processed. */
  | { kind: 'unknown'; reason: string };

export interface CallChannel {
  post(body: Uint8Array, headers: http.OutgoingHttpHeaders): Promise<CallAnswer>;
  /** Calls under way end as `unknown`. */
  close(): void;
}

/** Errors that come before the first byte of a request. */
const NOT_CONNECTED: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);

interface ChannelTime {
  clock: Clock;
  /** For the whole call, from its making to the end of its answer. */
  timeoutMs: number;
}

export function openCallChannel(url: URL, options: ConnectionOptions, time: ChannelTime): CallChannel {
  const agent = singleSocketAgent(url, options.tls);
  const closing = new AbortController();
  return {
    async post(body, headers): Promise<CallAnswer> {
      if (closing.signal.aborted) return { kind: 'not-sent', reason: MOVED_ON };
      const limit = new AbortController();
      const cancelLimit = time.clock.after(time.timeoutMs, () => limit.abort(new Error(tooLate(time))));
      const signal = AbortSignal.any([closing.signal, limit.signal]);
      try {
        const request = post(url, body, agent, { ...requestHeaders(options), ...headers }, signal);
        const response = await answerTo(request);
        return { kind: 'answered', status: response.statusCode ?? 0, body: await readAnswer(response) };
      } catch (error) {
        return faultOf(signal.aborted ? signal.reason : error);
      } finally {
        cancelLimit();
      }
    },
    close() {
      closing.abort(new Error(MOVED_ON));
      agent.destroy();
    },
  };
}

const MOVED_ON = 'the session moved on';
const tooLate = ({ timeoutMs }: ChannelTime) => `no answer within ${timeoutMs / 1000} s`;

function faultOf(error: unknown): CallAnswer {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const unsent = typeof code === 'string' && NOT_CONNECTED.has(code);
  return { kind: unsent ? 'not-sent' : 'unknown', reason: describeFault(error) };
}

function answerTo(request: http.ClientRequest): Promise<http.IncomingMessage> {
  return new Promise((resolve, reject) => {
    request.once('response', resolve);
    request.on('error', reject);
  });
}
