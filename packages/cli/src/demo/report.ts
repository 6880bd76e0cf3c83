/** What `--verify --json` prints: one line, one object, always with these fields. */
export interface VerifyReport {
  /** Node IDs that ran, before and after the death of the machine. */
  readonly nodeIds: { readonly before: readonly number[]; readonly after: readonly number[] };
  /** Names of the volumes of all nodes. */
  readonly volumes: readonly string[];
  readonly documents: { readonly before: number; readonly after: number };
  /** How the moved shards came back, as Elasticsearch names it. */
  readonly recoveredFrom: string;
  /** Node ID → epoch. */
  readonly epochs: {
    readonly before: Readonly<Record<string, number>>;
    readonly after: Readonly<Record<string, number>>;
  };
  /** Host name of the machine that was killed. */
  readonly lostAgent: string;
  readonly lostNodeId: number;
  /** Counted from the kill. */
  readonly seconds: { readonly toRunning: number; readonly toGreen: number };
  readonly driver: string;
  readonly runtime: string;
  /** Version, as the nodes say it. */
  readonly elasticsearch: string;
}
