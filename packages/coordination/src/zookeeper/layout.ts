import type { Epoch, NodeId } from '@mesos-elasticsearch/contract';
import { digestIdentity } from './servers.ts';
import { PERMISSION, type Acl, type AclEntry, type Outcome, type ZooKeeper } from './zookeeper.ts';

/**
 * Where everything of one cluster is, below `<path>/<framework name>/<cluster name>`:
 * ```
 * framework                 the framework record
 * nodes/<node ID>           one node record each
 * leases/<node ID>/<epoch>  open or closed; its child `lease` is the lease
 * election/<candidate>      ephemeral, one for each scheduler that leads or wants to
 * leader-epoch              whose reign it is; every write of the scheduler checks its version
 * ```
 * @throws TypeError for a name that cannot be a part of a path
 */
export function clusterRoot(path: string, frameworkName: string, clusterName: string): string {
  for (const name of [frameworkName, clusterName]) {
    if (name === '' || name === '.' || name === '..' || /[/\p{Cc}]/u.test(name)) {
      throw new TypeError(
        `"${name}" cannot be the name of a znode; choose another framework or cluster name`,
      );
    }
  }
  return `${path.replace(/\/+$/, '')}/${frameworkName}/${clusterName}`;
}

export const frameworkPath = (root: string) => `${root}/framework`;
export const nodesPath = (root: string) => `${root}/nodes`;
export const nodePath = (root: string, nodeId: NodeId) => `${root}/nodes/${nodeId}`;
export const leasesPath = (root: string) => `${root}/leases`;
export const nodeLeasesPath = (root: string, nodeId: NodeId) => `${root}/leases/${nodeId}`;
export const epochPath = (root: string, nodeId: NodeId, epoch: Epoch | number) =>
  `${root}/leases/${nodeId}/${epoch}`;
export const leasePath = (root: string, nodeId: NodeId, epoch: Epoch | number) =>
  `${root}/leases/${nodeId}/${epoch}/lease`;
export const electionPath = (root: string) => `${root}/election`;
export const leaderEpochPath = (root: string) => `${root}/leader-epoch`;

/** Who logs in how, for the digest scheme. */
export interface ZooKeeperAccess {
  /** `user:password`; every znode belongs to it. */
  readonly scheduler: string;
  /**
   * May read records, epochs and leases, and write leases; absent: executors log in as the scheduler does. As ZooKeeper
   * names it, `user:base64(SHA-1(user:password))`: the scheduler need not know their password.
   */
  readonly executorIdentity?: string;
}

/** Who may do what with the znodes of a cluster. */
export interface ClusterAcls {
  /** Folders above the cluster's root that are missing: other clusters may put theirs beside ours. */
  readonly above: Acl;
  readonly schedulerOnly: Acl;
  /** Executors read it. */
  readonly readable: Acl;
  /** Executors read and write it. */
  readonly lease: Acl;
}

const IDENTITY = /^[^:\s]+:[A-Za-z0-9+/]{27}=$/;

/**
 * Without credentials everyone may do everything.
 * @throws TypeError for an identity that is none
 */
export function clusterAcls(access: ZooKeeperAccess | undefined): ClusterAcls {
  const everyone = (permissions: number): AclEntry => ({ scheme: 'world', id: 'anyone', permissions });
  if (access === undefined) {
    const open = [everyone(PERMISSION.all)];
    return { above: open, schedulerOnly: open, readable: open, lease: open };
  }
  const of = (id: string, permissions: number): AclEntry => ({ ...{ scheme: 'digest', id, permissions } });
  const { executorIdentity } = access;
  if (executorIdentity !== undefined && !IDENTITY.test(executorIdentity)) {
    // Not the text itself: it may be a password, which access lists would show.
    throw new TypeError('the identity of executors must be written as user:base64(SHA-1(user:password))');
  }
  const scheduler = of(digestIdentity(access.scheduler), PERMISSION.all);
  const executors = (permissions: number) =>
    executorIdentity === undefined ? [] : [of(executorIdentity, permissions)];
  return {
    above: [scheduler, everyone(PERMISSION.read + PERMISSION.create)],
    schedulerOnly: [scheduler],
    readable: [scheduler, ...executors(PERMISSION.read)],
    lease: [scheduler, ...executors(PERMISSION.read + PERMISSION.write)],
  };
}

/** Whatever is missing of the root, the folders for the election and the leases, and `leader-epoch`. Idempotent. */
export async function makeCluster(
  zookeeper: ZooKeeper,
  root: string,
  acls: ClusterAcls,
): Promise<Outcome<void>> {
  const names = root.split('/').slice(1);
  const above = names.slice(0, -1).map((_, index) => `/${names.slice(0, index + 1).join('/')}`);
  const wanted: (readonly [path: string, acl: Acl])[] = [
    ...above.map((path) => [path, acls.above] as const),
    [root, acls.readable],
    [leasesPath(root), acls.readable],
    [electionPath(root), acls.schedulerOnly],
    [leaderEpochPath(root), acls.schedulerOnly],
  ];
  for (const [path, acl] of wanted) {
    const made = await makeFolder(zookeeper, path, acl);
    if (made.kind !== 'done') return made;
  }
  return { kind: 'done', value: undefined };
}

export async function makeFolder(zookeeper: ZooKeeper, path: string, acl: Acl): Promise<Outcome<void>> {
  const done: Outcome<void> = { kind: 'done', value: undefined };
  const there = await zookeeper.read(path);
  // It is there, and somebody else's.
  if (there.kind === 'not-done' && there.code === 'no-auth') return done;
  if (there.kind !== 'done') return there;
  if (there.value !== undefined) return done;
  const created = await zookeeper.transact([{ kind: 'create', path, data: '', acl }]);
  return created.kind === 'not-done' && created.code === 'node-exists' ? done : asVoid(created);
}

function asVoid(outcome: Outcome<unknown>): Outcome<void> {
  return outcome.kind === 'done' ? { kind: 'done', value: undefined } : outcome;
}

/** For messages. */
export function inWords(outcome: Exclude<Outcome<unknown>, { kind: 'done' }>): string {
  if (outcome.kind === 'unknown') return outcome.why;
  return outcome.code === 'no-auth'
    ? 'ZooKeeper denies access; check the credentials, and whose znodes these are (getAcl)'
    : `ZooKeeper says ${outcome.code}`;
}
