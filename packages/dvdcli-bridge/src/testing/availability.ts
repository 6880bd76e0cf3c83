import { accessSync, constants, existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export function programInPath(name: string): string | undefined {
  const directories = (process.env['PATH'] ?? '').split(delimiter).concat('/usr/sbin', '/sbin');
  return directories
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

/** Why rclone's plugin cannot run here; `undefined` when it can. */
export function rcloneUnavailable(): string | undefined {
  if (programInPath('rclone') === undefined) return 'rclone is not installed (Debian package rclone)';
  if (programInPath('fusermount3') === undefined)
    return 'fusermount3 is not installed (Debian package fuse3)';
  return existsSync('/dev/fuse') ? undefined : 'this machine has no /dev/fuse';
}
