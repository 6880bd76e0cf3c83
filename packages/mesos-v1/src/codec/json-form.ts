/**
 * Mesos' own JSON mapping, which is not that of protobuf 3: enums by name only, bytes as standard base64,
 * 64-bit integers as JSON numbers (numeric strings are read too).
 */
import type { EnumNames, LeafForm } from './leaf-form.ts';
import { checkedScalar } from './leaf-form.ts';
import { WireFormatError } from './errors.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export function jsonKind(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return value === null ? 'null' : typeof value;
}

export function unexpected(value: unknown, field: string): WireFormatError {
  return new WireFormatError(`Not expecting a JSON ${jsonKind(value)} for field '${field}'`);
}

function readNumber(value: unknown, field: string, type: string): number | bigint {
  if (typeof value !== 'number' && typeof value !== 'string') throw unexpected(value, field);
  if (type === 'int64') return readInt64(value, field);
  const number = typeof value === 'string' && value.trim() === '' ? NaN : Number(value);
  const whole = type !== 'double' && type !== 'float';
  if (Number.isNaN(number) || (whole && !Number.isInteger(number))) {
    throw new WireFormatError(`Failed to parse '${value}' as a number for field '${field}'`);
  }
  return number;
}

function readInt64(value: number | string, field: string): bigint {
  const text = String(value);
  if (/^-?\d+$/.test(text)) return BigInt(text);
  if (typeof value === 'number' && Number.isInteger(value)) return BigInt(value);
  throw new WireFormatError(`Failed to parse '${text}' as an integer for field '${field}'`);
}

/** `unknownEnums`: what to do with a name that is not listed; Mesos 1.3.2 refuses it in calls. */
export function jsonForm(unknownEnums: 'keep' | 'refuse'): LeafForm {
  return {
    readEnum(value: unknown, field: string, names: EnumNames): string {
      if (typeof value !== 'string') throw unexpected(value, field);
      if (unknownEnums === 'refuse' && !Object.hasOwn(names.values, value)) {
        throw new WireFormatError(`Failed to find enum for '${value}'`);
      }
      return value;
    },
    readScalar(value, field, type) {
      if (type === 'string') {
        if (typeof value !== 'string') throw unexpected(value, field);
        return value;
      }
      if (type === 'bool') {
        if (typeof value !== 'boolean') throw unexpected(value, field);
        return value;
      }
      return readNumber(value, field, type);
    },
    readBytes(value, field) {
      if (typeof value !== 'string') throw unexpected(value, field);
      if (!BASE64.test(value)) {
        throw new WireFormatError(`Failed to base64 decode bytes field '${field}'`);
      }
      return new Uint8Array(Buffer.from(value, 'base64'));
    },
    writeEnum: (value) => value,
    writeScalar: checkedScalar,
    writeBytes: (value) => Buffer.from(value).toString('base64'),
  };
}
