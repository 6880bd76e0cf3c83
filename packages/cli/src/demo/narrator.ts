/** Tells the user what goes on, on stderr: live on a terminal, plain lines elsewhere. */
import { Listr, ListrLogger, ProcessOutput, type ListrDefaultRendererLogLevels } from 'listr2';

export type Note = (text: string) => void;

export interface Narrator {
  /** A step with a title; `note` says where it is. What `run` throws is shown as the step's failure. */
  step<T>(title: string, run: (note: Note) => Promise<T>): Promise<T>;
  /** Something that stays readable above what follows. */
  line(text: string): void;
}

export function plainNarrator(write: (text: string) => void): Narrator {
  const line = (text: string) => write(`${text}\n`);
  return {
    line,
    async step(title, run) {
      line(`- ${title}`);
      const before = performance.now();
      const result = await run((text) => line(`    ${text}`));
      line(`    done in ${((performance.now() - before) / 1000).toFixed(1)} s`);
      return result;
    },
  };
}

/** One task list a step; its notes stay below its title. Interrupts are the caller's affair. */
export function terminalNarrator(stderr: NodeJS.WriteStream): Narrator {
  return {
    line: (text) => stderr.write(`${text}\n`),
    async step(title, run) {
      let result: { readonly value: Awaited<ReturnType<typeof run>> } | undefined;
      const list = new Listr(
        [
          {
            title,
            rendererOptions: { outputBar: Infinity, persistentOutput: true },
            task: async (_context: unknown, task: { output: string }) => {
              const value = await run((text) => (task.output = text));
              result = { value };
            },
          },
        ],
        {
          registerSignalListeners: false,
          rendererOptions: {
            logger: new ListrLogger<ListrDefaultRendererLogLevels>({
              processOutput: new ProcessOutput(stderr, stderr),
            }),
          },
        },
      );
      await list.run();
      if (result === undefined) throw new Error(`the step "${title}" ended without a result`);
      return result.value;
    },
  };
}

export function chooseNarrator({ stdout, stderr }: NodeJS.Process): Narrator {
  // listr2 looks at stdout to decide whether it may draw.
  return stderr.isTTY && stdout.isTTY
    ? terminalNarrator(stderr)
    : plainNarrator((text) => stderr.write(text));
}
