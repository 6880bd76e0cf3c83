import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';

/** As seen from the client. */
export type Direction = 'to-server' | 'to-client';
const DIRECTIONS: readonly Direction[] = ['to-server', 'to-client'];

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  readonly swallowed: Set<Direction>;
}

/**
 * A link over loopback that can be harmed: delayed, cut, or made to swallow what goes in either direction while
 * both ends believe that they are connected.
 */
export class TcpProxy {
  readonly port: number;
  readonly #listener: Server;
  readonly #links = new Set<Link>();
  readonly #swallowsNew = new Set<Direction>();
  readonly #delayMs: Record<Direction, number> = { 'to-server': 0, 'to-client': 0 };
  #refuses = false;
  #accepted: (() => void)[] = [];
  #passed: { readonly direction: Direction; readonly resolve: () => void }[] = [];

  static async open(target: { readonly host: string; readonly port: number }): Promise<TcpProxy> {
    const listener = createServer();
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    return new TcpProxy(listener, target);
  }

  private constructor(listener: Server, target: { readonly host: string; readonly port: number }) {
    const address = listener.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    this.port = address.port;
    this.#listener = listener;
    listener.on('connection', (client) => {
      if (this.#refuses) client.destroy();
      else this.#join(client, target);
    });
  }

  /** `127.0.0.1:port` */
  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /**
   * From now on nothing gets through in these directions; nobody is told.
   * @param of `open`: connections made later are not harmed
   */
  swallow(directions: readonly Direction[] = DIRECTIONS, of: 'open' | 'all' = 'all'): void {
    for (const direction of directions) {
      for (const link of this.#links) link.swallowed.add(direction);
      if (of === 'all') this.#swallowsNew.add(direction);
    }
  }

  /** What was swallowed stays lost, so open connections that lost bytes are cut. */
  heal(): void {
    this.#refuses = false;
    this.#swallowsNew.clear();
    for (const direction of DIRECTIONS) this.#delayMs[direction] = 0;
    for (const link of this.#links) if (link.swallowed.size > 0) link.client.destroy();
  }

  /** Every byte in this direction, in order. */
  delay(direction: Direction, ms: number): void {
    this.#delayMs[direction] = ms;
  }

  /** Ends all connections; with `refuse` nobody gets a new one until `heal`. */
  cut({ refuse = false }: { readonly refuse?: boolean } = {}): void {
    this.#refuses = refuse;
    for (const { client } of this.#links) client.resetAndDestroy();
  }

  /** When the next connection has come in. */
  nextConnection(): Promise<void> {
    return new Promise((resolve) => this.#accepted.push(resolve));
  }

  /** When bytes arrive for this direction the next time, swallowed or not. */
  nextBytes(direction: Direction): Promise<void> {
    return new Promise((resolve) => this.#passed.push({ direction, resolve }));
  }

  async close(): Promise<void> {
    for (const { client } of this.#links) client.destroy();
    this.#listener.close();
    await once(this.#listener, 'close');
  }

  #join(client: Socket, target: { readonly host: string; readonly port: number }): void {
    const server = connect({ ...target, noDelay: true });
    const link: Link = { client, server, swallowed: new Set(this.#swallowsNew) };
    this.#links.add(link);
    this.#pass(link, client, server, 'to-server');
    this.#pass(link, server, client, 'to-client');
    const end = () => {
      this.#links.delete(link);
      client.destroy();
      server.destroy();
    };
    for (const socket of [client, server]) socket.on('error', end).on('close', end);
    const accepted = this.#accepted;
    this.#accepted = [];
    for (const resolve of accepted) resolve();
  }

  #pass(link: Link, from: Socket, to: Socket, direction: Direction): void {
    from.on('data', (chunk) => {
      const told = this.#passed.filter((each) => each.direction === direction);
      this.#passed = this.#passed.filter((each) => each.direction !== direction);
      const deliver = () => {
        if (!link.swallowed.has(direction) && !to.destroyed) to.write(chunk);
      };
      // Timers of one length ring in their order.
      if (this.#delayMs[direction] > 0) setTimeout(deliver, this.#delayMs[direction]);
      else deliver();
      for (const { resolve } of told) resolve();
    });
  }
}
