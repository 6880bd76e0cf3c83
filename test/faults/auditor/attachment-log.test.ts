import { describe, expect, it } from 'vitest';
import { attachmentFaults } from './attachment-log.ts';

const line = (event: string, instance: string, from?: string) =>
  `${JSON.stringify({ time: '2026-01-01T00:00:00.000Z', volume: 'v', instance, event, from })}\n`;

describe('the log of attachments', () => {
  it.each([
    ['one after the other', line('attached', 'a') + line('detached', 'a') + line('attached', 'b')],
    [
      'a dead machine succeeded',
      line('attached', 'a') + line('taken-over', 'b', 'a') + line('detached', 'b'),
    ],
    ['a driver started again', line('attached', 'a') + line('taken-back', 'a') + line('detached', 'a')],
  ])('is fine with %s', (_, text) => {
    expect(attachmentFaults(text)).toEqual([]);
  });

  it.each([
    ['a second holder', line('attached', 'a') + line('attached', 'b'), 'attached by b, but held by a'],
    [
      'a take-over from another than the holder',
      line('attached', 'a') + line('taken-over', 'c', 'b'),
      'held by a',
    ],
    ['an end that was no beginning', line('detached', 'a'), 'held by nobody'],
  ])('names %s', (_, text, words) => {
    const [fault, ...more] = attachmentFaults(text);
    expect(fault).toContain(words);
    expect(more).toEqual([]);
  });
});
