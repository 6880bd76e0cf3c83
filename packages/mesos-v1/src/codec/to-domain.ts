/** Wire tree (parsed JSON, or what protobufjs decoded) → our words, driven by the descriptor. */
import type { Field, MessageType } from './descriptor.ts';
import { fieldKind } from './descriptor.ts';
import { WireFormatError } from './errors.ts';
import { unexpected } from './json-form.ts';
import type { LeafForm } from './leaf-form.ts';
import { domainName, isUnwrappedId } from './names.ts';

type Tree = Record<string, unknown>;

/**
 * Unknown fields are left out, `null` and empty lists count as absent, absent stays absent.
 * Throws WireFormatError for a value of the wrong type, or naming every missing required field.
 */
export function toDomain(type: MessageType, tree: unknown, form: LeafForm): unknown {
  const missing: string[] = [];
  if (!isTree(tree)) throw new WireFormatError('Expecting a JSON object');
  const domain = readMessage(type, tree, { form, missing, path: '' });
  if (missing.length > 0) throw new WireFormatError(`Missing required fields: ${missing.join(', ')}`);
  return domain;
}

interface Place {
  form: LeafForm;
  missing: string[];
  /** Of the message being read, `a.b[0].` or empty. */
  path: string;
}

function isTree(value: unknown): value is Tree {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Uint8Array)
  );
}

function present(tree: Tree, name: string): boolean {
  return Object.hasOwn(tree, name) && tree[name] !== null && tree[name] !== undefined;
}

function readMessage(type: MessageType, tree: Tree, place: Place): unknown {
  for (const field of type.fieldsArray) {
    if (field.required && !present(tree, field.name)) place.missing.push(place.path + field.name);
  }
  if (isUnwrappedId(type.name)) {
    return present(tree, 'value') ? place.form.readScalar(tree.value, 'value', 'string') : '';
  }
  const domain: Tree = {};
  for (const field of type.fieldsArray) {
    if (!present(tree, field.name)) continue;
    const value = readField(field, tree[field.name], place);
    if (value !== undefined) domain[domainName(field.name)] = value;
  }
  return domain;
}

function readField(field: Field, value: unknown, place: Place): unknown {
  if (!field.repeated) return readOne(field, value, place, field.name);
  if (!Array.isArray(value)) throw unexpected(value, field.name);
  if (value.length === 0) return undefined;
  return value.map((item: unknown, index) => readOne(field, item, place, `${field.name}[${index}]`));
}

function readOne(field: Field, value: unknown, place: Place, step: string): unknown {
  const { form } = place;
  const held = fieldKind(field);
  if (held.kind === 'message') {
    if (!isTree(value)) throw unexpected(value, field.name);
    return readMessage(held.type, value, { ...place, path: `${place.path}${step}.` });
  }
  if (held.kind === 'enum') return form.readEnum(value, field.name, held.type);
  if (held.type !== 'bytes') return form.readScalar(value, field.name, held.type);
  const bytes = form.readBytes(value, field.name);
  return field.name === 'uuid' ? Buffer.from(bytes).toString('base64') : bytes;
}
