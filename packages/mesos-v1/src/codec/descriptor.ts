/** The compiled .proto files, the only place that loads them. */
import protobuf from 'protobufjs';
import descriptor from '../gen/mesos.json' with { type: 'json' };

interface DescriptorNode {
  nested?: Record<string, DescriptorNode>;
  values?: Record<string, number>;
  options?: Record<string, unknown>;
}

/**
 * proto2 enums are closed: a number that is not listed is dropped on decoding, and where the field is
 * required the whole message with it. A task state of a newer Mesos must not cost the update, so they are opened.
 */
function withOpenEnums(node: DescriptorNode): DescriptorNode {
  const opened: DescriptorNode = { ...node };
  if (node.values) opened.options = { ...node.options, features: { enum_type: 'OPEN' } };
  if (node.nested) {
    opened.nested = Object.fromEntries(
      Object.entries(node.nested).map(([name, child]) => [name, withOpenEnums(child)]),
    );
  }
  return opened;
}

const root = protobuf.Root.fromJSON(withOpenEnums(descriptor as DescriptorNode));
root.resolveAll();

export type MessageType = protobuf.Type;
export type Field = protobuf.Field;

export const schedulerCall = root.lookupType('mesos.v1.scheduler.Call');
export const schedulerEvent = root.lookupType('mesos.v1.scheduler.Event');
export const executorCall = root.lookupType('mesos.v1.executor.Call');
export const executorEvent = root.lookupType('mesos.v1.executor.Event');

/** What a field holds: a message, an enum, or the name of a scalar type. */
export type FieldKind =
  | { kind: 'message'; type: protobuf.Type }
  | { kind: 'enum'; type: protobuf.Enum }
  | { kind: 'scalar'; type: string };

export function fieldKind(field: Field): FieldKind {
  if (field.resolvedType instanceof protobuf.Type) return { kind: 'message', type: field.resolvedType };
  if (field.resolvedType instanceof protobuf.Enum) return { kind: 'enum', type: field.resolvedType };
  return { kind: 'scalar', type: field.type };
}
