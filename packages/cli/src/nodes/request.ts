/** One request to a scheduler's REST API, with a time limit and errors in words. */
import { z } from 'zod';
import { messageOf } from '../setup/setup-error.ts';

const LIMIT_MS = 15_000;

/** The scheduler did not answer, or did not do what it was asked to. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
}

export interface ApiOrder {
  readonly method: 'POST' | 'PUT' | 'DELETE';
  readonly body: object;
}

/** What the scheduler says to an order. */
export function wordsOf(answer: unknown, otherwise: string): string {
  const parsed = z.object({ message: z.string() }).safeParse(answer);
  return parsed.success ? parsed.data.message : otherwise;
}

/**
 * @param order absent: GET
 * @throws ApiError in the words of the scheduler, or saying that it does not answer
 */
export async function request(url: URL, order?: ApiOrder): Promise<unknown> {
  const signal = AbortSignal.timeout(LIMIT_MS);
  const headers = { 'content-type': 'application/json' };
  const sent = order === undefined ? {} : { method: order.method, headers, body: JSON.stringify(order.body) };
  let response: Response;
  let text: string;
  try {
    response = await fetch(url, { signal, ...sent });
    text = await response.text();
  } catch (error) {
    const { cause } = error as Error;
    throw new ApiError(
      `no answer from ${url.origin}: ${messageOf(cause ?? error)}. Is the scheduler up, and --api its address?`,
      { cause: error },
    );
  }
  const answer = jsonOf(text);
  if (response.ok) return answer;
  const words = z.object({ error: z.string() }).safeParse(answer).data?.error ?? text.slice(0, 500);
  throw new ApiError(`the scheduler refuses (${response.status}): ${words}`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
