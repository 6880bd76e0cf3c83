/** Which dvdcli it is, from what it prints. */
import { failed, fine, type Line } from './line.ts';

/** @param version output of `dvdcli version` @param help output of `dvdcli --help` */
export function dvdcliLine(program: string, version: string, help: string): Line {
  const number = /^SemVer:\s*(\S+)/m.exec(version)?.[1];
  if (number === undefined) {
    return failed(
      'dvdcli',
      `${program} does not say its version: ${firstLine(version) || 'it printed nothing'}`,
      'give the right program: --dvdcli PATH',
    );
  }
  // Only ours can be told where plugins are.
  if (help.includes('VOLUME_PLUGIN_DIRECTORIES')) return fine('dvdcli', `${program}: ours, ${number}`);
  if (/^0\.1\./.test(number)) {
    return failed(
      'dvdcli',
      `${program}: the original, ${number}, which knows neither get nor list`,
      'install the original 0.2 or ours (packages/dvdcli-bridge/dist/dvdcli.mjs)',
    );
  }
  return fine(
    'dvdcli',
    `${program}: the original, ${number}; it has no time limits and drops what follows a second "=" in an option`,
  );
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}
