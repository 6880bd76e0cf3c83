/** The records of ZooKeeper's client protocol that are used here (zookeeper.jute of Apache ZooKeeper 3.8). */
import type { Effect, Operation, RefusalCode, Stat } from '../zookeeper.ts';
import { JuteWriter, WireError, type JuteReader } from './jute.ts';

export const OP = {
  create: 1,
  remove: 2,
  exists: 3,
  getData: 4,
  setData: 5,
  sync: 9,
  ping: 11,
  getChildren: 12,
  check: 13,
  multi: 14,
  auth: 100,
  closeSession: -11,
  error: -1,
} as const;

/** Numbers of requests that are answered out of the order. */
export const XID = { watch: -1, ping: -2, auth: -4 } as const;

const EPHEMERAL_SEQUENTIAL = 3;
const ERROR_OK = 0;
export const ERROR_NO_NODE = -101;
/** Earlier and later parts of a transaction that was refused because of another part. */
const ERROR_RUNTIME_INCONSISTENCY = -2;
/** Only those after which it is certain that nothing was changed. */
const REFUSALS: ReadonlyMap<number, RefusalCode> = new Map<number, RefusalCode>([
  [-8, 'bad-request'],
  [ERROR_NO_NODE, 'no-node'],
  [-102, 'no-auth'],
  [-103, 'bad-version'],
  [-108, 'parent-is-ephemeral'],
  [-110, 'node-exists'],
  [-111, 'not-empty'],
  [-114, 'bad-request'],
]);

export function refusalOf(error: number): RefusalCode | undefined {
  return REFUSALS.get(error);
}

/** What a client keeps of its session, so that it can go on over another connection. */
export interface SessionTicket {
  /** 0n: a new session. */
  readonly id: bigint;
  readonly password: Buffer;
  /** As wanted by the client, or as granted. */
  readonly timeoutMs: number;
}

export function encodeConnect(ticket: SessionTicket, lastZxidSeen: bigint): Buffer {
  const writer = new JuteWriter().int(0).long(lastZxidSeen).int(ticket.timeoutMs).long(ticket.id);
  return writer.buffer(ticket.password).bool(false).frame();
}

/** Undefined: the session has expired. */
export function decodeConnected(reader: JuteReader): SessionTicket | undefined {
  reader.int();
  const timeoutMs = reader.int();
  const id = reader.long();
  const password = Buffer.from(reader.buffer());
  return timeoutMs <= 0 ? undefined : { id, password, timeoutMs };
}

export function encodeAuth(credentials: string): Buffer {
  const writer = new JuteWriter().int(XID.auth).int(OP.auth).int(0);
  return writer.string('digest').buffer(Buffer.from(credentials, 'utf8')).frame();
}

export function encodePing(): Buffer {
  return new JuteWriter().int(XID.ping).int(OP.ping).frame();
}

/** What is asked of a connection; the xid comes with it. */
export type Request =
  | { readonly kind: 'exists' | 'getData' | 'getChildren'; readonly path: string; readonly watch: boolean }
  | { readonly kind: 'sync'; readonly path: string }
  | { readonly kind: 'multi'; readonly operations: readonly Operation[] }
  | { readonly kind: 'closeSession' };

export function encodeRequest(xid: number, request: Request): Buffer {
  const writer = new JuteWriter().int(xid).int(OP[request.kind]);
  switch (request.kind) {
    case 'exists':
    case 'getData':
    case 'getChildren':
      return writer.string(request.path).bool(request.watch).frame();
    case 'sync':
      return writer.string(request.path).frame();
    case 'multi':
      for (const operation of request.operations) writeOperation(writer, operation);
      return writer.int(-1).bool(true).int(-1).frame();
    case 'closeSession':
      return writer.frame();
  }
}

function writeOperation(writer: JuteWriter, operation: Operation): void {
  const header = (type: number) => writer.int(type).bool(false).int(-1).string(operation.path);
  switch (operation.kind) {
    case 'create':
      header(OP.create).string(operation.data).int(operation.acl.length);
      for (const { permissions, scheme, id } of operation.acl) {
        writer.int(permissions).string(scheme).string(id);
      }
      writer.int(operation.lives === undefined ? 0 : EPHEMERAL_SEQUENTIAL);
      return;
    case 'set':
      header(OP.setData).string(operation.data).int(operation.version);
      return;
    case 'check':
      header(OP.check).int(operation.version);
      return;
    case 'remove':
      header(OP.remove).int(operation.version);
      return;
  }
}

export interface ReplyHeader {
  readonly xid: number;
  readonly zxid: bigint;
  readonly error: number;
}

export function decodeHeader(reader: JuteReader): ReplyHeader {
  return { xid: reader.int(), zxid: reader.long(), error: reader.int() };
}

export function decodeStat(reader: JuteReader): Stat {
  // czxid, mzxid, ctime, mtime
  for (let skipped = 0; skipped < 4; skipped += 1) reader.long();
  const version = reader.int();
  const childChanges = reader.int();
  reader.int(); // aversion
  reader.long(); // ephemeralOwner
  reader.int(); // dataLength
  const children = reader.int();
  reader.long(); // pzxid
  return { version, childChanges, children };
}

/** Either what each operation did, or which one was refused; `error` is ZooKeeper's number. */
export type MultiAnswer =
  { readonly effects: readonly Effect[] } | { readonly error: number; readonly at: number };

export function decodeMulti(reader: JuteReader): MultiAnswer {
  const effects: Effect[] = [];
  const errors: number[] = [];
  for (;;) {
    const type = reader.int();
    const done = reader.bool();
    reader.int();
    if (done) break;
    if (type === OP.error) errors.push(reader.int());
    else effects.push(decodeEffect(type, reader));
  }
  if (errors.length === 0) return { effects };
  const at = errors.findIndex((error) => error !== ERROR_OK && error !== ERROR_RUNTIME_INCONSISTENCY);
  return { error: errors[at] ?? ERROR_RUNTIME_INCONSISTENCY, at: Math.max(0, at) };
}

function decodeEffect(type: number, reader: JuteReader): Effect {
  switch (type) {
    case OP.create:
      return { path: reader.string() };
    case OP.setData:
      return { version: decodeStat(reader).version };
    case OP.check:
    case OP.remove:
      return {};
    default:
      throw new WireError(`an answer of the unknown type ${type} in a transaction`);
  }
}

export type WatchKind = 'data' | 'children';

export interface WatchEvent {
  readonly path: string;
  /** Which watches it sets off. */
  readonly kinds: readonly WatchKind[];
}

export function decodeWatchEvent(reader: JuteReader): WatchEvent {
  const type = reader.int();
  reader.int();
  const path = reader.string();
  switch (type) {
    case 4:
      return { path, kinds: ['children'] };
    case 2:
      return { path, kinds: ['data', 'children'] };
    default:
      return { path, kinds: ['data'] };
  }
}
