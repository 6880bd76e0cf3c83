/** docs/configuration.md, rendered from the table of settings. */
import { FIELD_NAMES, FIELDS, variableOf, type FieldName } from './fields.ts';
import { GROUPS, type Field } from './field.ts';

const HEAD = `# Configuration of the scheduler

Every setting can be given as a flag, as an environment variable or in a YAML file (\`--config FILE\`, or the
variable \`ELASTICSEARCH_MESOS_CONFIG\`). A flag beats a variable, a variable beats the file, the file beats the default.

The variable of a setting is \`ELASTICSEARCH_MESOS_\` and the setting's name in capitals, each capital letter of the
name set off by \`_\`: \`frameworkName\` is \`ELASTICSEARCH_MESOS_FRAMEWORK_NAME\`. In the file the key is the setting's
name (\`config.example.yml\`). An unknown flag, key or variable with that prefix is a fault, and all faults are
reported at once. Secrets are read from files only, but for the login that \`--zookeeperMesosUrl\` may carry: process lists
show flags, so give that one as a variable or in the file.

This file is generated from \`packages/cli/src/config/fields.ts\` by \`npm run docs:config\`.
`;

export function renderConfigurationDocument(): string {
  const sections = GROUPS.map((group) => {
    const rows = FIELD_NAMES.filter((name) => FIELDS[name].group === group).map(row);
    return [
      `## ${group}`,
      '',
      '| setting | value | default | meaning |',
      '| --- | --- | --- | --- |',
      ...rows,
      '',
    ].join('\n');
  });
  return `${HEAD}\n${sections.join('\n')}`;
}

function row(name: FieldName): string {
  const { wants, help } = FIELDS[name];
  const cells = [`\`--${name}\`<br>\`${variableOf(name)}\``, wants, shownDefault(FIELDS[name]), help];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

/** As help and document show it; empty where there is none (or an empty list or mapping). */
export function shownDefault({ fallback }: Pick<Field<unknown>, 'fallback'>): string {
  if (typeof fallback === 'number' || typeof fallback === 'boolean') return fallback.toString();
  return typeof fallback === 'string' ? fallback : '';
}
