/** How the wire's names become ours: camelCase fields, ids without their `{ value }` wrapper. */
const camelCased = new Map<string, string>();

/** `agent_id` → `agentId`. */
export function domainName(wireName: string): string {
  let name = camelCased.get(wireName);
  if (name === undefined) {
    name = wireName.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
    camelCased.set(wireName, name);
  }
  return name;
}

/** Messages that are nothing but an id. ContainerID is not one of them: it may have a parent. */
const UNWRAPPED: ReadonlySet<string> = new Set(['FrameworkID', 'AgentID', 'OfferID', 'TaskID', 'ExecutorID']);

export function isUnwrappedId(messageName: string): boolean {
  return UNWRAPPED.has(messageName);
}
