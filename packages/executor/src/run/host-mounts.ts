/** The volumes of this host as the executor reaches them: every attach and detach on record in the host's mount ledger. */
import { isOrphanMark, NODE_MARK_VARIABLE, nodeMark, type LaunchSpec } from '@mesos-elasticsearch/contract';
import {
  dvdcliVolumes,
  engineForManagedPlugins,
  engineVolumes,
  openMountLedger,
  pluginSocketVolumes,
  procVolumeUsers,
  recorded,
  recover,
  type MountLedger,
  type MountUse,
  type RecoveredUse,
  type VolumeUsers,
  type Volumes,
} from '@mesos-elasticsearch/dvdcli-bridge';
import type { ExecutorConfig } from '../config/executor-config.ts';
import { lookByProgram } from '../jar/local-commands.ts';
import type { ProcessLooks } from '../jar/look.ts';
import { SetupError } from '../ports.ts';
import type { Log, MountRecovery } from './ports.ts';

export interface HostMounts {
  /** @throws SetupError where the mount ledger cannot be opened: nothing is attached that is not on record */
  volumesOf(spec: LaunchSpec): Volumes;
  /**
   * Undoes what earlier epochs of this node have on record here. The lease is the right to do so: what other nodes left is
   * their next holder's, for a driver's unmount may reach a holder on another host.
   */
  recover(spec: LaunchSpec): Promise<MountRecovery>;
}

type HostConfig = Pick<ExecutorConfig, 'mountLedgerDirectory' | 'pluginDirectories' | 'childEnvironment'>;

export function hostMounts(config: HostConfig, log: Log, looks: ProcessLooks): HostMounts {
  let opened: MountLedger | undefined;
  const ledger = (): MountLedger => (opened ??= open(config, log));
  return {
    volumesOf: (spec) =>
      recorded(reach(spec, spec.volumePath.kind, config, log), ledger(), { mark: markOf(nodeMark(spec)) }),
    recover: async (spec) => {
      const ofNode = (use: MountUse): boolean => isOfEarlierEpoch(use, spec);
      const theirs = 'it is of another node, whose next holder undoes it';
      const report = await recover(ledger(), {
        volumesFor: (use) => reach(spec, use.path, config, log),
        forbids: (use) => (ofNode(use) ? undefined : theirs),
        users: users(looks),
        impatient: true,
      });
      const consumers = ownConsumers(ledger(), ofNode);
      const own = report.kept.filter(({ consumer }) => consumers.has(consumer));
      const names = volumeNames(spec);
      // What could not be looked at may be ours.
      const unread = report.unread.filter(
        ({ key }) => isOfVolume(key, names) || mayBe(ledger(), key, ofNode),
      );
      return {
        letGo: report.letGo.map(nameOf),
        left: [
          ...[...report.failed, ...own].map((use) => `${nameOf(use)} (${use.why})`),
          ...unread.map(unreadText),
        ],
        others: [
          ...report.kept.filter(({ why }) => why === theirs).map(nameOf),
          ...ledger()
            .damaged()
            .filter(({ key }) => !isOfVolume(key, names))
            .map(({ file }) => `whatever the damaged record ${file} had`),
        ],
      };
    },
  };
}

function open(config: HostConfig, log: Log): MountLedger {
  try {
    const directory = config.mountLedgerDirectory;
    return openMountLedger({ directory, say: (message, fields) => log.error(fields, message) });
  } catch (cause) {
    throw new SetupError(
      `the mount ledger of this host cannot be opened: ${(cause as Error).message}; MOUNT_LEDGER_DIRECTORY in the agent's environment for executors names another directory`,
      { cause },
    );
  }
}

const DOCKER_SOCKET = '/var/run/docker.sock';

/** By the way that is asked for, with what the launch spec says of it, or else with what every host has. */
function reach(spec: LaunchSpec, path: MountUse['path'], config: HostConfig, log: Log): Volumes {
  const { volumePath, runtime } = spec;
  const lookAt = lookByProgram(config.childEnvironment);
  switch (path) {
    case 'plugin-socket':
      return pluginSocketVolumes({
        directories: config.pluginDirectories,
        engine: engineForManagedPlugins(config.childEnvironment, (why) => log.warn({ why }, 'Docker Engine')),
        lookAt,
        warn: (warning) => log.warn(warning, 'volume driver'),
      });
    case 'dvdcli': {
      const program = volumePath.kind === 'dvdcli' ? volumePath.program : 'dvdcli';
      return dvdcliVolumes({ program, lookAt });
    }
    case 'engine':
      return engineVolumes({ socketPath: runtime.kind === 'docker' ? runtime.socket : DOCKER_SOCKET });
  }
}

function markOf(mark: string): string {
  return `${NODE_MARK_VARIABLE}=${mark}`;
}

function isOfEarlierEpoch(use: MountUse, spec: LaunchSpec): boolean {
  const prefix = markOf('');
  return use.mark?.startsWith(prefix) === true && isOrphanMark(use.mark.slice(prefix.length), spec);
}

/** Who of this node is still on record. */
function ownConsumers(ledger: MountLedger, ofNode: (use: MountUse) => boolean): ReadonlySet<string> {
  const uses = ledger.keys().flatMap((key) => peek(ledger, key));
  return new Set(uses.filter(ofNode).map(({ consumer }) => consumer));
}

/** Of this node, by whatever driver. */
function volumeNames({ volumes, migration }: LaunchSpec): readonly string[] {
  return [volumes, ...(migration ? [migration.to] : [])].flatMap(({ config, data }) => [
    config.name,
    data.name,
  ]);
}

/** A damaged record says of itself only what its key does. */
function isOfVolume(key: string, names: readonly string[]): boolean {
  return names.some((name) => key.startsWith(`${name}.`));
}

function unreadText({ key, why }: { readonly key: string; readonly why: string }): string {
  return `record ${key} (${why})`;
}

function mayBe(ledger: MountLedger, key: string, ofNode: (use: MountUse) => boolean): boolean {
  try {
    return ledger.peek(key)?.uses.some(ofNode) ?? false;
  } catch {
    return true;
  }
}

function peek(ledger: MountLedger, key: string): readonly MountUse[] {
  try {
    return ledger.peek(key)?.uses ?? [];
  } catch {
    // Damaged: whoever works on it next puts it aside.
    return [];
  }
}

/** The lease in hand says that an earlier epoch's executor is gone, also where its process cannot be seen from here. */
function users(looks: ProcessLooks): VolumeUsers {
  const seen = procVolumeUsers();
  return {
    marked: (mark) => looks.marked(mark),
    below: (hostPath) => looks.below(hostPath),
    owner: (identity) => {
      const owner = seen.owner(identity);
      return owner === 'cannot-tell' ? 'gone' : owner;
    },
  };
}

function nameOf({ volume, driver, consumer }: RecoveredUse): string {
  return `${volume} of ${driver} for ${consumer}`;
}
