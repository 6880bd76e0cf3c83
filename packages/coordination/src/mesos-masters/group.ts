/**
 * Which of the znodes of a Mesos group leads, and where that master is. Each master holds one ephemeral, sequential
 * znode `json.info_NNNNNNNNNN` (JSON); masters before 0.24 wrote `info_N…` (a serialised MasterInfo), older ones `N…`
 * (the pid as text). The lowest number leads, whatever its label. `log_replicas` is the registry's own group.
 */
import protobuf from 'protobufjs/minimal.js';
import { z } from 'zod';

/** What a znode says cannot be understood. */
export class MasterInfoError extends Error {
  override readonly name = 'MasterInfoError';
}

/** Sequence numbers are 32 bits wide and become negative when they run over. */
const CHILD = /^(?:(?<label>.*)_)?(?<sequence>-?\d+)$/s;

/** @returns the name of the leading child; undefined when there is no master among them */
export function leadingChild(children: readonly string[]): string | undefined {
  let leading: { readonly name: string; readonly sequence: number } | undefined;
  for (const name of children) {
    const digits = CHILD.exec(name)?.groups?.sequence;
    if (digits === undefined) continue;
    const sequence = Number(digits);
    if (leading === undefined || sequence < leading.sequence) leading = { name, sequence };
  }
  return leading?.name;
}

interface MasterPlace {
  readonly addressIp?: string | undefined;
  readonly addressHostname?: string | undefined;
  readonly addressPort?: number | undefined;
  readonly ip?: number | undefined;
  readonly hostname?: string | undefined;
  readonly port?: number | undefined;
}

/**
 * Where the master is that wrote this znode, best first: its IP address, then its host name, which need not resolve
 * here.
 * @throws MasterInfoError
 */
export function masterUrls(child: string, data: Uint8Array): readonly [URL, ...URL[]] {
  const place = placeOf(CHILD.exec(child)?.groups?.label, data);
  const port = place.addressPort ?? place.port;
  if (port === undefined || port < 1 || port > 65_535) throw new MasterInfoError(`${child} names no port`);
  const ip = usableIp(place.addressIp) ?? usableIp(place.ip === undefined ? undefined : ipText(place.ip));
  const hostname = place.addressHostname ?? place.hostname;
  const hosts = [ip, usableName(hostname, ip)].filter((host) => host !== undefined);
  const urls = [...new Set(hosts)].map((host) => urlOf(child, host, port));
  const [first, ...rest] = urls;
  if (first === undefined) throw new MasterInfoError(`${child} names neither an IP address nor a host name`);
  return [first, ...rest];
}

function placeOf(label: string | undefined, data: Uint8Array): MasterPlace {
  switch (label) {
    case 'json.info':
      return fromJson(data);
    case 'info':
      return fromProtobuf(data);
    case undefined:
      return fromPid(new TextDecoder().decode(data));
    default:
      throw new MasterInfoError(
        `the znode label ${JSON.stringify(label)} is not known: wanted json.info or info`,
      );
  }
}

const masterInfoJson = z.object({
  ip: z.number().optional(),
  port: z.number().int().optional(),
  hostname: z.string().optional(),
  address: z
    .object({ ip: z.string().optional(), hostname: z.string().optional(), port: z.number().int() })
    .optional(),
});

function fromJson(data: Uint8Array): MasterPlace {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(data));
  } catch (cause) {
    throw new MasterInfoError('a json.info znode does not hold JSON', { cause });
  }
  const parsed = masterInfoJson.safeParse(value);
  if (!parsed.success) throw new MasterInfoError(`not a MasterInfo: ${z.prettifyError(parsed.error)}`);
  const { address, ip, port, hostname } = parsed.data;
  return {
    addressIp: address?.ip,
    addressHostname: address?.hostname,
    addressPort: address?.port,
    ip,
    port,
    hostname,
  };
}

/** Of MasterInfo: ip = 2, port = 3 (default 5050), hostname = 5, address = 7; of Address: hostname = 1, ip = 2, port = 3. */
function fromProtobuf(data: Uint8Array): MasterPlace {
  const place: { -readonly [K in keyof MasterPlace]: MasterPlace[K] } = { port: 5050 };
  try {
    readFields(protobuf.Reader.create(data), (reader, field) => {
      if (field === 2) place.ip = reader.uint32();
      else if (field === 3) place.port = reader.uint32();
      else if (field === 5) place.hostname = reader.string();
      else if (field === 7) {
        readFields(protobuf.Reader.create(reader.bytes()), (inner, innerField) => {
          if (innerField === 1) place.addressHostname = inner.string();
          else if (innerField === 2) place.addressIp = inner.string();
          else if (innerField === 3) place.addressPort = inner.int32();
          else return false;
          return true;
        });
      } else return false;
      return true;
    });
  } catch (cause) {
    throw new MasterInfoError('an info znode does not hold a MasterInfo', { cause });
  }
  return place;
}

function readFields(
  reader: protobuf.Reader,
  read: (reader: protobuf.Reader, field: number) => boolean,
): void {
  while (reader.pos < reader.len) {
    const tag = reader.uint32();
    if (!read(reader, tag >>> 3)) reader.skipType(tag & 7);
  }
}

/** `master@10.0.0.1:5050` */
function fromPid(pid: string): MasterPlace {
  const { ip, port } = /^[^@\s]+@(?<ip>[0-9.]+):(?<port>\d{1,5})$/.exec(pid.trim())?.groups ?? {};
  if (ip === undefined) throw new MasterInfoError('a znode without label does not hold the pid of a master');
  return { addressIp: ip, addressPort: Number(port) };
}

/** In network byte order, read as if it were in the host's: 16777343 is 127.0.0.1. */
function ipText(ip: number): string {
  return [ip, ip >>> 8, ip >>> 16, ip >>> 24].map((byte) => byte & 0xff).join('.');
}

/** A master that was told to listen on every address may say so instead of where it is. */
function usableIp(ip: string | undefined): string | undefined {
  return ip === undefined || ip === '' || ip === '0.0.0.0' || ip === '::' ? undefined : ip;
}

/** `localhost`, said by a master elsewhere, would lead to whatever listens here. */
function usableName(name: string | undefined, ip: string | undefined): string | undefined {
  if (name === undefined || name === '' || name === '0.0.0.0') return undefined;
  const here = ip === undefined || ip.startsWith('127.') || ip === '::1';
  return name === 'localhost' && !here ? undefined : name;
}

function urlOf(child: string, host: string, port: number): URL {
  const text = `http://${host.includes(':') ? `[${host}]` : host}:${port}`;
  if (!URL.canParse(text))
    throw new MasterInfoError(`${child} does not name a host: ${JSON.stringify(host)}`);
  return new URL(text);
}
