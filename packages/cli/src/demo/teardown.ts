/** Takes the demo's framework down, so that every node stops in good order and lets go of its volumes. */
import { frameworkId, schedulerCalls, startSchedulerSession } from '@mesos-elasticsearch/mesos-v1';

/**
 * Subscribes in place of the scheduler (which has ended) and tears the framework down.
 * @returns why that was not possible; then everything is killed instead
 */
export async function tearDownFramework(
  masterUrl: string,
  framework: { readonly id: string; readonly name: string; readonly user: string },
  limitMs: number,
): Promise<string | undefined> {
  let subscribed: () => void = () => undefined;
  const subscription = new Promise<true>((resolve) => (subscribed = () => resolve(true)));
  const silent = () => undefined;
  const session = startSchedulerSession({
    masters: () => new URL(masterUrl),
    frameworkInfo: () => ({ user: framework.user, name: framework.name, id: frameworkId(framework.id) }),
    encoding: 'application/x-protobuf',
    onEvent: (event) => {
      if (event.type === 'SUBSCRIBED') subscribed();
    },
    onState: silent,
    log: { debug: silent, info: silent, warn: silent, error: silent },
  });
  const limit = AbortSignal.timeout(limitMs);
  const tooLate = new Promise<false>((resolve) => limit.addEventListener('abort', () => resolve(false)));
  try {
    if (!(await Promise.race([subscription, tooLate]))) return 'the master does not answer';
    const outcome = await session.call(schedulerCalls.teardown());
    // The master closes the subscription as it obeys, which may well be all that is heard of the call.
    return outcome.kind === 'accepted' || outcome.kind === 'unknown' ? undefined : outcome.reason;
  } finally {
    session.close();
  }
}
