/** Leaves as protobufjs holds them: enums as numbers, 64-bit integers as { low, high }, bytes as bytes. */
import type { LeafForm } from './leaf-form.ts';
import { checkedScalar, unrecognizedName, unrecognizedNumber } from './leaf-form.ts';
import { WireFormatError } from './errors.ts';

interface Long64 {
  low: number;
  high: number;
  unsigned: boolean;
}

function isLong(value: unknown): value is Long64 {
  return typeof value === 'object' && value !== null && 'low' in value && 'high' in value;
}

function toBigInt(value: unknown, field: string): bigint {
  if (typeof value === 'number') return BigInt(value);
  if (!isLong(value)) throw new WireFormatError(`field '${field}' is not a 64-bit integer`);
  const high = value.unsigned ? BigInt(value.high >>> 0) : BigInt(value.high);
  return (high << 32n) | BigInt(value.low >>> 0);
}

function toLong(value: bigint, unsigned: boolean): Long64 {
  return { low: Number(BigInt.asIntN(32, value)), high: Number(BigInt.asIntN(32, value >> 32n)), unsigned };
}

export const protobufForm: LeafForm = {
  readEnum(value, field, names) {
    if (typeof value !== 'number') throw new WireFormatError(`field '${field}' is not an enum number`);
    return names.valuesById[value] ?? unrecognizedName(value);
  },
  readScalar(value, field, type) {
    if (type === 'int64') return toBigInt(value, field);
    if (type === 'uint64') return Number(toBigInt(value, field));
    return value as string | number | boolean;
  },
  readBytes: (value) => new Uint8Array(value as Uint8Array),
  writeEnum(value, field, names) {
    const number = Object.hasOwn(names.values, value) ? names.values[value] : unrecognizedNumber(value);
    if (number === undefined) {
      throw new TypeError(`field '${field}': no such enum value in protobuf: ${JSON.stringify(value)}`);
    }
    return number;
  },
  writeScalar(value, field, type) {
    const checked = checkedScalar(value, field, type);
    if (typeof checked === 'bigint') return toLong(checked, false);
    return type === 'uint64' ? toLong(BigInt(checked), true) : checked;
  },
  writeBytes: (value) => value,
};
