import { describe, expect, it } from 'vitest';
import {
  errorEventMeaning,
  executorCallConsequence,
  schedulerCallConsequence,
  subscribeConsequence,
} from './consequences.ts';

const stale =
  "The stream ID 'a' included in this request didn't match the stream ID currently associated with framework ID b";

describe('what an answer means', () => {
  it.each([
    [200, '', 'ok'],
    [307, '', 'retry'],
    [404, '', 'retry'],
    [503, 'No leader', 'retry'],
    [500, '', 'retry'],
    [429, '', 'retry'],
    [400, 'principal', 'fatal'],
    [401, '', 'fatal'],
    [403, '', 'fatal'],
    [405, '', 'fatal'],
    [406, '', 'fatal'],
    [415, '', 'fatal'],
  ])('%i %j to SUBSCRIBE: %s', (status, body, consequence) => {
    expect(subscribeConsequence({ status, body })).toBe(consequence);
  });

  it.each([
    [202, '', 'ok'],
    [200, '', 'ok'],
    [307, '', 'resubscribe'],
    [400, stale, 'replaced'],
    [400, 'Framework cannot be found', 'resubscribe'],
    [400, "Expecting 'accept' to be present", 'give-up'],
    [401, '', 'fatal'],
    [403, 'Framework is not subscribed', 'resubscribe'],
    [403, 'Not allowed', 'give-up'],
    [404, '', 'retry'],
    [503, '', 'retry'],
    [502, '', 'retry'],
    [406, '', 'give-up'],
  ])('%i %j to a scheduler call: %s', (status, body, consequence) => {
    expect(schedulerCallConsequence({ status, body })).toBe(consequence);
  });

  it.each([
    [202, '', 'ok'],
    [400, 'Executor cannot be found', 'fatal'],
    [400, 'Framework cannot be found', 'fatal'],
    [400, 'no uuid', 'give-up'],
    [401, '', 'fatal'],
    [403, 'Executor is not subscribed', 'resubscribe'],
    [503, 'Agent has not finished recovery', 'retry'],
    [404, '', 'retry'],
  ])('%i %j to an executor call: %s', (status, body, consequence) => {
    expect(executorCallConsequence({ status, body })).toBe(consequence);
  });

  it.each([
    ['Framework failed over', 'replaced'],
    ['Framework has been removed', 'removed'],
    ['Not authorized to use role', 'refused'],
  ])('the ERROR %j: %s', (message, meaning) => {
    expect(errorEventMeaning(message)).toBe(meaning);
  });
});
