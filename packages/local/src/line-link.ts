/** The agents' link: an upgraded HTTP connection that carries one JSON message a line in both directions. */
import type { Duplex } from 'node:stream';
import { createInterface } from 'node:readline';
import { fromTaggedJson, toTaggedJson } from './tagged-json.ts';

export const LINK_PATH = '/agent-link';
export const LINK_PROTOCOL = 'mesos-elasticsearch-agent-link';

export class LineLink<Sent, Received> {
  readonly #socket: Duplex;

  /** `closed` is called once, however the connection ends. */
  constructor(socket: Duplex, on: { message: (message: Received) => void; closed: () => void }) {
    this.#socket = socket;
    socket.on('error', () => undefined);
    const lines = createInterface({ input: socket });
    // It repeats the socket's errors, which `closed` tells of.
    lines.on('error', () => undefined);
    lines.on('line', (line) => {
      if (line !== '') on.message(fromTaggedJson(line) as Received);
    });
    socket.once('close', on.closed);
    socket.once('end', () => {
      this.close();
    });
  }

  send(message: Sent): void {
    if (this.#socket.writable) this.#socket.write(`${toTaggedJson(message)}\n`);
  }

  close(): void {
    this.#socket.destroy();
  }
}
