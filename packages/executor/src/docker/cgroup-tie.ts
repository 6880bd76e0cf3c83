/** Whether a container can be made to die with the executor, by the executor's own freezer cgroup. */

export interface Engine {
  /** As the daemon says: `cgroupfs` or `systemd`. */
  readonly cgroupDriver: string | undefined;
  readonly cgroupVersion: string | undefined;
}

/**
 * The cgroup to give as parent, or why there is none. Seen to work on a Mesos agent with the linux launcher,
 * cgroups v1 and Docker's cgroupfs driver: the agent kills whoever is in the freezer cgroup of the executor.
 */
export function cgroupParent(
  procSelfCgroup: string,
  engine: Engine,
): { kind: 'parent'; path: string } | { kind: 'none'; why: string } {
  const line = procSelfCgroup.split('\n').find((text) => /^\d+:([^:]*,)?freezer(,[^:]*)?:/.test(text));
  const path = line?.slice(line.indexOf(':', line.indexOf(':') + 1) + 1);
  if (path === undefined) return { kind: 'none', why: 'no freezer cgroup (version 1) here' };
  if (path === '/') return { kind: 'none', why: 'the executor has no freezer cgroup of its own' };
  if (engine.cgroupVersion !== undefined && engine.cgroupVersion !== '1') {
    return { kind: 'none', why: `Docker uses cgroups version ${engine.cgroupVersion}` };
  }
  if (engine.cgroupDriver !== 'cgroupfs') {
    return { kind: 'none', why: `Docker uses the cgroup driver ${engine.cgroupDriver ?? '(unknown)'}` };
  }
  return { kind: 'parent', path };
}
