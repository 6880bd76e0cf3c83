/**
 * The wire between one agent and the master, as a process that outlives the machine it belongs to. It passes
 * bytes on, or holds them back (a partition: connections stay open, nothing arrives). When whoever commands it
 * goes away, it takes the machine's processes along: nothing of an embedded cluster outlives its parent.
 */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { killFamily } from '../processes/kill-family.ts';
import { machinePids } from '../processes/machine-pids.ts';

export interface MachineLinkOptions {
  readonly port: number;
  /** The agent's work directory, absolute: marks its executors. */
  readonly workDir: string;
  /** `host:port` of the master. */
  readonly target: string;
  /** Lines: `hold`, `flow`, `machine PID…` (who else belongs to the machine). Its end ends all. */
  readonly commands: Readable;
}

class Wire {
  readonly #target: string;
  readonly #sockets = new Set<Socket>();
  readonly #waiting = new Set<Socket>();
  #held = false;

  constructor(target: string) {
    this.#target = target;
  }

  take(near: Socket): void {
    this.#track(near);
    near.pause();
    if (this.#held) this.#waiting.add(near);
    else this.#join(near);
  }

  hold(): void {
    this.#held = true;
    for (const socket of this.#sockets) socket.pause();
  }

  flow(): void {
    this.#held = false;
    for (const near of this.#waiting) this.#join(near);
    this.#waiting.clear();
    for (const socket of this.#sockets) socket.resume();
  }

  #track(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #join(near: Socket): void {
    if (near.destroyed) return;
    const [host = '', port = ''] = this.#target.split(':');
    const far = connect({ host, port: Number(port) });
    this.#track(far);
    this.#pass(near, far);
    this.#pass(far, near);
    if (!this.#held) near.resume();
  }

  /** Not `pipe`: a held socket must stay paused even when the other side drains. */
  #pass(from: Socket, to: Socket): void {
    from.on('data', (chunk) => to.write(chunk));
    from.on('end', () => to.end());
    from.on('close', () => {
      // While held, the news that the other side is gone does not get through either.
      if (!this.#held) to.destroy();
      else this.#closeLater(to);
    });
  }

  #closeLater(socket: Socket): void {
    const timer = setInterval(() => {
      if (this.#held) return;
      clearInterval(timer);
      socket.destroy();
    }, 50);
    timer.unref();
  }
}

/** Resolves when it listens; `ended` when its commands have ended and the machine is dead. */
export async function runMachineLink(
  options: MachineLinkOptions,
): Promise<{ readonly port: number; readonly ended: Promise<void> }> {
  const wire = new Wire(options.target);
  let members: number[] = [];
  const server = createServer({ allowHalfOpen: false, pauseOnConnect: true }, (socket) => {
    wire.take(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const ended = new Promise<void>((resolve) => {
    const lines = createInterface({ input: options.commands });
    lines.on('line', (line) => {
      const [command, ...words] = line.split(' ');
      if (command === 'hold') wire.hold();
      else if (command === 'flow') wire.flow();
      else if (command === 'machine') members = words.map(Number);
      process.stdout.write(`${JSON.stringify({ done: line })}\n`);
    });
    lines.on('close', () => {
      void killFamily(() => machinePids(options.workDir, members)).then(() => {
        resolve();
      });
    });
  });
  return { port: (server.address() as AddressInfo).port, ended };
}
