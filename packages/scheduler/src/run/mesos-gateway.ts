/** The scheduler session of mesos-v1 behind our own port. */
import { startSchedulerSession } from '@mesos-elasticsearch/mesos-v1';
import type { SchedulerChange } from '@mesos-elasticsearch/mesos-v1';
import type { Logger } from 'pino';
import type { MesosOptions } from '../options.ts';
import type { GatewayState, MesosGatewayFactory } from '../ports.ts';

/** The master did not take a call, or it is not known whether it did. */
export class CallError extends Error {
  override readonly name = 'CallError';
}

const ENCODINGS = { protobuf: 'application/x-protobuf', json: 'application/json' } as const;

/** @param mayLead false: no master is known to the session until it is true again */
export function mesosGatewayFactory(
  options: MesosOptions,
  log: Logger,
  mayLead: () => boolean = () => true,
): MesosGatewayFactory {
  return (frameworkInfo, handlers) => {
    const detector = detectorOf(options.masters);
    const session = startSchedulerSession({
      masters: () => (mayLead() ? detector.current() : []),
      frameworkInfo: () => frameworkInfo,
      encoding: ENCODINGS[options.encoding],
      credentials: options.auth,
      tls: options.tls,
      log,
      onEvent: (event) => handlers.onEvent(event),
      onState: (change) => {
        const state = gatewayState(change);
        if (state !== undefined) handlers.onState(state);
      },
    });
    const stopListening = detector.onChange((urls) => session.leaderChanged(mayLead() ? urls : []));
    return {
      async call(call) {
        const outcome = await session.call(call);
        if (outcome.kind !== 'accepted')
          throw new CallError(`${call.type}: ${outcome.kind}, ${outcome.reason}`);
      },
      close: () => {
        stopListening();
        session.close();
        return Promise.resolve();
      },
    };
  };
}

/** A list never changes: its masters redirect to the one that leads. */
function detectorOf(masters: MesosOptions['masters']): Exclude<MesosOptions['masters'], readonly string[]> {
  if ('onChange' in masters) return masters;
  const urls = masters.map((url) => new URL(url));
  return { current: () => urls, onChange: () => () => undefined };
}

/** Undefined: connecting and subscribed; SUBSCRIBED is an event of its own. */
function gatewayState(change: SchedulerChange): GatewayState | undefined {
  switch (change.state) {
    case 'connecting':
    case 'subscribed':
      return undefined;
    case 'disconnected':
      return { kind: 'disconnected', reason: change.reason };
    case 'replaced':
      return { kind: 'replaced' };
    case 'removed':
      return { kind: 'removed' };
    case 'refused':
      return { kind: 'refused', message: change.reason };
  }
}
