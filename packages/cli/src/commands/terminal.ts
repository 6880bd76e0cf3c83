/** Where a command's output goes, and what time it is; replaced in tests. */
export interface Terminal {
  write(text: string): void;
  /** Milliseconds since the Unix epoch. */
  nowMs(): number;
}

export const terminal: Terminal = { write: (text) => void process.stdout.write(text), nowMs: Date.now };
