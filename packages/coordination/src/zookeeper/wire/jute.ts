/** Jute, ZooKeeper's encoding: big-endian numbers, and a length before everything that has one. */

/** The other side does not speak ZooKeeper's protocol, or the bytes got mixed up. */
export class WireError extends Error {
  override readonly name = 'WireError';
}

export class JuteWriter {
  readonly #parts: Buffer[] = [];

  int(value: number): this {
    const part = Buffer.alloc(4);
    part.writeInt32BE(value);
    this.#parts.push(part);
    return this;
  }

  long(value: bigint): this {
    const part = Buffer.alloc(8);
    part.writeBigInt64BE(value);
    this.#parts.push(part);
    return this;
  }

  bool(value: boolean): this {
    this.#parts.push(Buffer.of(value ? 1 : 0));
    return this;
  }

  buffer(value: Uint8Array): this {
    this.int(value.length);
    this.#parts.push(Buffer.from(value));
    return this;
  }

  string(value: string): this {
    return this.buffer(Buffer.from(value, 'utf8'));
  }

  /** The record as it goes over the wire: its length first. */
  frame(): Buffer {
    const body = Buffer.concat(this.#parts);
    const length = Buffer.alloc(4);
    length.writeInt32BE(body.length);
    return Buffer.concat([length, body]);
  }
}

/** Every method throws {@link WireError} where the bytes end too early. */
export class JuteReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  int(): number {
    return this.#take(4).readInt32BE();
  }

  long(): bigint {
    return this.#take(8).readBigInt64BE();
  }

  bool(): boolean {
    return this.#take(1)[0] !== 0;
  }

  /** A length of -1 stands for "none" and reads as empty. */
  buffer(): Buffer {
    return this.#take(Math.max(0, this.int()));
  }

  string(): string {
    return this.buffer().toString('utf8');
  }

  strings(): string[] {
    const count = this.int();
    const all: string[] = [];
    for (let index = 0; index < count; index += 1) all.push(this.string());
    return all;
  }

  #take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new WireError('a record ends in the middle');
    const part = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return part;
  }
}

/** ZooKeeper's own limit on a packet is 1 MB by default; whatever claims to be far longer is not ZooKeeper. */
const LONGEST_FRAME = 64 * 1024 * 1024;

/** Cuts a stream of bytes into records. */
export class FrameCutter {
  #pending: Buffer = Buffer.alloc(0);

  /** @throws WireError for a length that cannot be */
  push(chunk: Buffer): Buffer[] {
    this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    const frames: Buffer[] = [];
    for (;;) {
      if (this.#pending.length < 4) return frames;
      const length = this.#pending.readInt32BE();
      if (length < 0 || length > LONGEST_FRAME) {
        throw new WireError(`a record of ${length} bytes: this is not ZooKeeper`);
      }
      if (this.#pending.length < 4 + length) return frames;
      frames.push(this.#pending.subarray(4, 4 + length));
      this.#pending = this.#pending.subarray(4 + length);
    }
  }
}
