/** Takes the demo's framework down, so that every node stops in good order and lets go of its volumes. */
import { frameworkId, schedulerCalls, startSchedulerSession } from '@mesos-elasticsearch/mesos-v1';

/**
 * Subscribes in place of the scheduler (which has ended) and tears the framework down.
 * @returns false when that was not possible within the limit: then everything is killed instead
 */
export async function tearDownFramework(
  masterUrl: string,
  framework: { readonly id: string; readonly name: string; readonly user: string },
  limitMs: number,
): Promise<boolean> {
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
    if (!(await Promise.race([subscription, tooLate]))) return false;
    const outcome = await session.call(schedulerCalls.teardown());
    return outcome.kind === 'accepted';
  } finally {
    session.close();
  }
}
