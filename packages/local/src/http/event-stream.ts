/** An endless RecordIO response. */
import type { ServerResponse } from 'node:http';
import { encodeRecord } from '@mesos-elasticsearch/mesos-v1';

export class EventStream {
  readonly #response: ServerResponse;

  constructor(response: ServerResponse, headers: Record<string, string>) {
    this.#response = response;
    response.writeHead(200, headers);
    response.flushHeaders();
    response.socket?.setNoDelay(true);
  }

  /** What is written after the other side has gone is lost, as on any broken connection. */
  send(record: Uint8Array): void {
    if (!this.#response.writableEnded && !this.#response.destroyed)
      this.#response.write(encodeRecord(record));
  }

  end(): void {
    this.#response.end();
  }
}
