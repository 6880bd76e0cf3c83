/**
 * A link over loopback that can be harmed for one caller and not for the others. All agents of the cluster under test
 * are told the same address of a service, as in life; who calls is found out by the port that the call comes from.
 */
import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** Names the caller behind a local port; undefined: nobody in particular. */
export type CallerOf = (port: number) => string | undefined;

interface Link {
  /** Looked for when the first bytes come: by then the caller is known to have the connection. */
  caller: string | undefined;
  readonly near: Socket;
  readonly far: Socket;
  /** Bytes were lost on it: it must not go on as if nothing had been. */
  torn: boolean;
}

/** Stands for every caller. */
const EVERYONE = '*';

export class LinkProxy {
  readonly #server: Server;
  readonly #target: Target;
  readonly #callerOf: CallerOf;
  readonly #links = new Set<Link>();
  readonly #swallowed = new Set<string>();
  readonly #delays = new Map<string, number>();

  static async open(target: Target, callerOf: CallerOf = () => undefined): Promise<LinkProxy> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new LinkProxy(server, target, callerOf);
  }

  private constructor(server: Server, target: Target, callerOf: CallerOf) {
    this.#server = server;
    this.#target = target;
    this.#callerOf = callerOf;
    server.on('connection', (near) => this.#join(near));
  }

  /** `127.0.0.1:port` */
  get address(): string {
    const address = this.#server.address();
    if (address === null || typeof address === 'string') throw new Error('the link is closed');
    return `127.0.0.1:${address.port}`;
  }

  /** From now on nothing gets through, in either direction, and nobody is told. */
  swallow(caller: string = EVERYONE): void {
    this.#swallowed.add(caller);
  }

  /** What was swallowed stays lost. */
  heal(caller: string = EVERYONE): void {
    this.#swallowed.delete(caller);
    this.#delays.delete(caller);
    for (const link of this.#links) if (link.torn && !this.#swallows(link)) end(link);
  }

  /** Every byte, in both directions, in order. */
  delay(ms: number, caller: string = EVERYONE): void {
    this.#delays.set(caller, ms);
  }

  async close(): Promise<void> {
    for (const link of this.#links) end(link);
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket): void {
    const far = connect({ ...this.#target, noDelay: true });
    near.setNoDelay(true);
    const link: Link = { caller: undefined, near, far, torn: false };
    this.#links.add(link);
    const { remotePort } = near;
    near.once(
      'data',
      () => (link.caller = remotePort === undefined ? undefined : this.#callerOf(remotePort)),
    );
    this.#pass(link, near, far);
    this.#pass(link, far, near);
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      socket.on('error', () => undefined);
      socket.on('close', () => {
        // That one side is gone does not get through a swallowed link either.
        if (this.#swallows(link)) link.torn = true;
        else other.destroy();
        if (near.destroyed && far.destroyed) this.#links.delete(link);
      });
    }
  }

  #pass(link: Link, from: Socket, to: Socket): void {
    from.on('data', (chunk) => {
      const deliver = () => {
        if (this.#swallows(link)) link.torn = true;
        else if (!to.destroyed) to.write(chunk);
      };
      const ms = this.#delays.get(link.caller ?? EVERYONE) ?? this.#delays.get(EVERYONE) ?? 0;
      // Timers of one length ring in their order.
      if (ms > 0) setTimeout(deliver, ms);
      else deliver();
    });
  }

  #swallows({ caller }: Link): boolean {
    return this.#swallowed.has(EVERYONE) || (caller !== undefined && this.#swallowed.has(caller));
  }
}

function end({ near, far }: Link): void {
  near.destroy();
  far.destroy();
}
