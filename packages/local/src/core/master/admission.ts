/** Whether a scheduler's call is taken at all, with the codes and texts of a real master (1.3.2). */
import type { SchedulerCall } from '@mesos-elasticsearch/mesos-v1';
import type { MasterState } from './state.ts';

export interface Refusal {
  readonly status: number;
  readonly text: string;
}

const bad = (text: string): Refusal => ({ status: 400, text });

/** `principal`: the authenticated one, undefined when the master does not authenticate. */
export function refuseSubscribe(
  call: Extract<SchedulerCall, { type: 'SUBSCRIBE' }>,
  request: { readonly streamId: string | undefined; readonly principal: string | undefined },
): Refusal | undefined {
  const { frameworkInfo } = call.subscribe;
  const { principal } = request;
  const claimed = frameworkInfo.principal;
  if (principal !== undefined && claimed !== undefined && claimed !== principal) {
    const mismatch = `Authenticated principal '${principal}' does not match principal '${claimed}' set in \`FrameworkInfo\``;
    return bad(`Failed to validate scheduler::Call: ${mismatch}`);
  }
  if (request.streamId !== undefined) {
    return bad("Subscribe calls should not include the 'Mesos-Stream-Id' header");
  }
  return undefined;
}

export function refuseCall(
  state: MasterState,
  call: SchedulerCall,
  request: { readonly streamId: string | undefined; readonly principal: string | undefined },
): Refusal | undefined {
  const framework = call.frameworkId && state.frameworks.get(call.frameworkId);
  if (!framework) return bad('Framework cannot be found');
  const { principal, streamId } = request;
  if (principal !== undefined && framework.info.principal !== principal) {
    return bad(
      `Authenticated principal '${principal}' does not match principal '${framework.info.principal ?? ''}' set in \`FrameworkInfo\``,
    );
  }
  if (framework.streamId === undefined) return { status: 403, text: 'Framework is not subscribed' };
  if (streamId === undefined) {
    return bad("All non-subscribe calls should include the 'Mesos-Stream-Id' header");
  }
  if (streamId !== framework.streamId) {
    return bad(
      `The stream ID '${streamId}' included in this request didn't match the stream ID currently associated with framework ID ${framework.id}`,
    );
  }
  return undefined;
}
