/** The two encodings of the v1 API, by their media types, byte for byte as Mesos compares them. */
import type { MessageType } from './descriptor.ts';
import { WireFormatError } from './errors.ts';
import { jsonForm } from './json-form.ts';
import { parseJson, printJson } from './json-text.ts';
import { protobufForm } from './protobuf-form.ts';
import { toDomain } from './to-domain.ts';
import { toWire } from './to-wire.ts';

export type Encoding = 'application/json' | 'application/x-protobuf';
export const ENCODINGS: readonly Encoding[] = ['application/json', 'application/x-protobuf'];

const tolerantJson = jsonForm('keep');

/** Throws TypeError if `message` lacks a required field or has a value of the wrong type. */
export function encodeMessage(type: MessageType, message: unknown, encoding: Encoding): Uint8Array {
  if (encoding === 'application/json') return Buffer.from(printJson(toWire(type, message, tolerantJson)));
  return type.encode(toWire(type, message, protobufForm)).finish();
}

/** Throws WireFormatError. Unknown fields, enum names and enum numbers are tolerated. */
export function decodeMessage(type: MessageType, bytes: Uint8Array, encoding: Encoding): unknown {
  if (encoding === 'application/json') return toDomain(type, parsedJson(bytes), tolerantJson);
  return toDomain(type, decodedProtobuf(type, bytes), protobufForm);
}

function parsedJson(bytes: Uint8Array): unknown {
  try {
    return parseJson(Buffer.from(bytes).toString('utf8'));
  } catch (cause) {
    throw new WireFormatError(`not JSON: ${(cause as Error).message}`, { cause });
  }
}

function decodedProtobuf(type: MessageType, bytes: Uint8Array): unknown {
  try {
    return type.decode(bytes);
  } catch (cause) {
    throw new WireFormatError(`not a ${type.fullName.slice(1)}: ${(cause as Error).message}`, { cause });
  }
}
