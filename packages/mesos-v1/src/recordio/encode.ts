/** One RecordIO record: the length in bytes, a newline, the bytes. */
export function encodeRecord(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.concat([Buffer.from(`${bytes.length}\n`), bytes]));
}
