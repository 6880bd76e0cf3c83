import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import { describe, expect, it } from 'vitest';
import committed from '../gen/mesos.json' with { type: 'json' };

const packageFolder = fileURLToPath(new URL('../..', import.meta.url));

interface KnownField {
  number: number;
  type: string;
  label: string;
  default?: unknown;
}
const known = JSON.parse(
  readFileSync(new URL('../../../../test/fixtures/mesos-fields.json', import.meta.url), 'utf8'),
) as { messages: Record<string, Record<string, KnownField>>; enums: Record<string, Record<string, number>> };

function collect(namespace: protobuf.NamespaceBase): { types: protobuf.Type[]; enums: protobuf.Enum[] } {
  const found: { types: protobuf.Type[]; enums: protobuf.Enum[] } = { types: [], enums: [] };
  for (const nested of namespace.nestedArray) {
    if (nested instanceof protobuf.Enum) found.enums.push(nested);
    if (nested instanceof protobuf.Type) found.types.push(nested);
    if (nested instanceof protobuf.Namespace) {
      const below = collect(nested);
      found.types.push(...below.types);
      found.enums.push(...below.enums);
    }
  }
  return found;
}

const root = protobuf.Root.fromJSON(committed).resolveAll();
const { types, enums } = collect(root);
const nameOf = (object: protobuf.ReflectionObject) => object.fullName.slice(1);

describe('the compiled descriptor', () => {
  it('is what the .proto files compile to (npm run proto after a change)', () => {
    const cli = fileURLToPath(import.meta.resolve('protobufjs-cli/bin/pbjs'));
    const files = ['proto/scheduler.proto', 'proto/executor.proto'];
    const options = ['-t', 'json', '--keep-case', '-p', 'proto'];
    const compiled = execFileSync(process.execPath, [cli, ...options, ...files], { cwd: packageFolder });
    expect(JSON.parse(compiled.toString('utf8'))).toEqual(committed);
  });

  for (const type of types) {
    it(`has the field numbers, types and labels of ${nameOf(type)}`, () => {
      const reference = known.messages[nameOf(type)];
      expect(reference ?? (nameOf(type) === 'mesos.v1.Value' ? {} : undefined)).toBeDefined();
      for (const field of type.fieldsArray) {
        const expected = reference?.[field.name];
        const actual = {
          number: field.id,
          type: field.resolvedType ? nameOf(field.resolvedType) : field.type,
          label: field.required ? 'required' : field.repeated ? 'repeated' : 'optional',
        };
        expect({ field: field.name, ...actual }).toEqual({
          field: field.name,
          number: expected?.number,
          type: expected?.type,
          label: expected?.label,
        });
      }
      const required = Object.entries(reference ?? {}).filter(([, field]) => field.label === 'required');
      const own = type.fieldsArray.filter((field) => field.required).map((field) => field.name);
      if (type.fieldsArray.length > 0) expect(own.sort()).toEqual(required.map(([name]) => name).sort());
    });
  }

  for (const one of enums) {
    it(`has the values of ${nameOf(one)}`, () => {
      expect(one.values).toEqual(known.enums[nameOf(one)]);
    });
  }
});
