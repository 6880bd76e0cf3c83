/** What `dvdcli version` says, six lines `Binary/SemVer/OsArch/Branch/Commit/Formed`. Pure. */

export type DvdcliKind =
  /** The command of this project, by its version. */
  | 'ours'
  /** The original, 0.2.0 or newer, or a build without a version, or whatever else behaves as one. */
  | 'original'
  /** Before 0.2.0: neither `get` nor `list`, and every command begins with a Create. */
  | 'too-old';

export function kindOf(versionOutput: string): DvdcliKind {
  const version = /^SemVer:[ \t]*(\S*)/m.exec(versionOutput)?.[1] ?? '';
  if (version.includes('+mesos-elasticsearch')) return 'ours';
  return /^v?0\.[01]\./.test(version) ? 'too-old' : 'original';
}
