/** Our words → wire tree (for JSON, or for protobufjs to encode), driven by the descriptor. */
import type { Field, MessageType } from './descriptor.ts';
import { fieldKind } from './descriptor.ts';
import type { LeafForm } from './leaf-form.ts';
import { domainName, isUnwrappedId } from './names.ts';

type Tree = Record<string, unknown>;

/** Undefined and empty lists are left out. Throws TypeError naming a missing required or a mistyped field. */
export function toWire(type: MessageType, domain: unknown, form: LeafForm): Tree {
  return writeMessage(type, domain, form, '');
}

function writeMessage(type: MessageType, domain: unknown, form: LeafForm, path: string): Tree {
  if (isUnwrappedId(type.name)) return { value: form.writeScalar(domain, path, 'string') };
  if (typeof domain !== 'object' || domain === null) {
    throw new TypeError(
      `${path === '' ? type.name : `field '${path}'`} wants an object, got ${typeof domain}`,
    );
  }
  const source = domain as Tree;
  const tree: Tree = {};
  for (const field of type.fieldsArray) {
    const name = domainName(field.name);
    const value = Object.hasOwn(source, name) ? source[name] : undefined;
    const fieldPath = path === '' ? field.name : `${path}.${field.name}`;
    if (value === undefined) {
      if (field.required) throw new TypeError(`field '${fieldPath}' is required`);
      continue;
    }
    if (field.repeated && Array.isArray(value) && value.length === 0) continue;
    tree[field.name] = writeField(field, value, form, fieldPath);
  }
  return tree;
}

function writeField(field: Field, value: unknown, form: LeafForm, path: string): unknown {
  if (!field.repeated) return writeOne(field, value, form, path);
  if (!Array.isArray(value)) throw new TypeError(`field '${path}' wants a list, got ${typeof value}`);
  return value.map((item: unknown, index) => writeOne(field, item, form, `${path}[${index}]`));
}

function writeOne(field: Field, value: unknown, form: LeafForm, path: string): unknown {
  const held = fieldKind(field);
  if (held.kind === 'message') return writeMessage(held.type, value, form, path);
  if (held.kind === 'enum') {
    if (typeof value !== 'string') throw new TypeError(`field '${path}' wants a string, got ${typeof value}`);
    return form.writeEnum(value, path, held.type);
  }
  if (held.type !== 'bytes') return form.writeScalar(value, path, held.type);
  const bytes = field.name === 'uuid' && typeof value === 'string' ? Buffer.from(value, 'base64') : value;
  if (!(bytes instanceof Uint8Array)) throw new TypeError(`field '${path}' wants bytes, got ${typeof value}`);
  return form.writeBytes(bytes);
}
