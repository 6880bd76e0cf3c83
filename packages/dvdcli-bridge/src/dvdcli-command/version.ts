/** Behaves as the original 0.2.2; what follows the plus says whose it is. */
export const SEM_VER = '0.2.2+mesos-elasticsearch.0.1.0';

/** Six lines, as the original has them; what is not known is left empty. */
export function versionText(program: string): string {
  const system = process.platform === 'linux' ? 'Linux' : process.platform;
  const machine = process.arch === 'x64' ? 'x86_64' : process.arch;
  return `Binary: ${program}\nSemVer: ${SEM_VER}\nOsArch: ${system}-${machine}\nBranch: \nCommit: \nFormed: \n`;
}
