/** How one encoding writes the values at the leaves of a message. The tree around them is the same in both. */
export interface LeafForm {
  /** Each throws WireFormatError naming `field` if the value is not of the field's type. */
  readEnum(value: unknown, field: string, names: EnumNames): string;
  readScalar(value: unknown, field: string, type: string): string | number | bigint | boolean;
  readBytes(value: unknown, field: string): Uint8Array;
  /** Each throws TypeError for a value that the encoding cannot carry. */
  writeEnum(value: string, field: string, names: EnumNames): unknown;
  writeScalar(value: unknown, field: string, type: string): unknown;
  writeBytes(value: Uint8Array): unknown;
}

export interface EnumNames {
  /** Number to name. */
  valuesById: Record<number, string>;
  /** Name to number. */
  values: Record<string, number>;
}

const UNRECOGNIZED = 'UNRECOGNIZED_';

/** The name of an enum number that our .proto files do not know. */
export function unrecognizedName(value: number): string {
  return `${UNRECOGNIZED}${value}`;
}

/** The number that `unrecognizedName` was made from, or undefined. */
export function unrecognizedNumber(name: string): number | undefined {
  return /^UNRECOGNIZED_-?\d+$/.test(name) ? Number(name.slice(UNRECOGNIZED.length)) : undefined;
}

/** Throws TypeError unless `value` is what our types say for a scalar field of that type. */
export function checkedScalar(
  value: unknown,
  field: string,
  type: string,
): string | number | bigint | boolean {
  const wanted =
    type === 'string' ? 'string' : type === 'bool' ? 'boolean' : type === 'int64' ? 'bigint' : 'number';
  if (typeof value !== wanted) {
    throw new TypeError(`field '${field}' wants a ${wanted}, got ${typeof value}`);
  }
  return value as string | number | bigint | boolean;
}
