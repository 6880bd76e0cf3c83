/** The agent's side of the link: connects, registers, and does so again for ever. */
import { request } from 'node:http';
import type { ToAgent, ToMaster } from '../core/link-protocol.ts';
import { LineLink, LINK_PATH, LINK_PROTOCOL } from '../line-link.ts';

const RETRY_MIN_MS = 50;
const RETRY_MAX_MS = 1_000;
/** A connection that is not answered: the master is frozen or behind a wall; keep one such attempt only so long. */
const CONNECT_TIMEOUT_MS = 10_000;

export interface MasterLinkEvents {
  readonly connected: () => ToMaster;
  readonly message: (message: ToAgent) => void;
  readonly lost: () => void;
}

export class MasterLink {
  readonly #master: string;
  #silenceMs: number;
  readonly #on: MasterLinkEvents;
  #link: LineLink<ToMaster, ToAgent> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #silence: NodeJS.Timeout | undefined;
  #retryMs = RETRY_MIN_MS;
  #closed = false;

  constructor(master: string, silenceMs: number, on: MasterLinkEvents) {
    this.#master = master;
    this.#silenceMs = silenceMs;
    this.#on = on;
  }

  send(message: ToMaster): void {
    this.#link?.send(message);
  }

  /** The master says at registration after how much silence it has given this agent up. */
  giveUpAfter(silenceMs: number): void {
    this.#silenceMs = silenceMs;
    this.#heard();
  }

  connect(): void {
    const connecting = request(`http://${this.#master}${LINK_PATH}`, {
      headers: { connection: 'Upgrade', upgrade: LINK_PROTOCOL },
      timeout: CONNECT_TIMEOUT_MS,
      agent: false,
    });
    connecting.on('upgrade', (_response, socket) => {
      socket.setTimeout(0);
      this.#open(
        new LineLink<ToMaster, ToAgent>(socket, {
          message: (message) => {
            this.#heard();
            this.#on.message(message);
          },
          closed: () => {
            this.#lost();
          },
        }),
      );
    });
    connecting.on('timeout', () => connecting.destroy(new Error('no answer')));
    connecting.on('response', (response) => response.destroy());
    connecting.on('error', () => {
      this.#again();
    });
    connecting.end();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#silence);
    this.#link?.close();
  }

  #open(link: LineLink<ToMaster, ToAgent>): void {
    if (this.#closed) {
      link.close();
      return;
    }
    this.#link = link;
    this.#retryMs = RETRY_MIN_MS;
    this.#heard();
    link.send(this.#on.connected());
  }

  #heard(): void {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#link?.close(), this.#silenceMs);
  }

  #lost(): void {
    clearTimeout(this.#silence);
    this.#link = undefined;
    if (this.#closed) return;
    this.#on.lost();
    this.#again();
  }

  #again(): void {
    if (this.#closed) return;
    clearTimeout(this.#retry);
    this.#retry = setTimeout(
      () => {
        this.connect();
      },
      this.#retryMs * (0.5 + Math.random()),
    );
    this.#retryMs = Math.min(this.#retryMs * 2, RETRY_MAX_MS);
  }
}
