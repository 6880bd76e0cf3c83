/** What a master can be told, and how a real Mesos master spells it. */
import type { Logger } from 'pino';

export interface MasterOptions {
  /** Address to listen on. Default 127.0.0.1. */
  readonly ip?: string;
  /** 0 asks for a free port. Default 5050. */
  readonly port?: number;
  /** Name in MasterInfo. Default localhost. */
  readonly hostname?: string;
  /** Where the list of agents is kept, so that a restarted master knows whom to wait for. Default: nowhere. */
  readonly workDir?: string;
  /** Default 15 000. */
  readonly agentPingTimeoutMs?: number;
  /** Default 5. */
  readonly maxAgentPingTimeouts?: number;
  /** Default 600 000. */
  readonly agentReregisterTimeoutMs?: number;
  /** Default 1 000. */
  readonly allocationIntervalMs?: number;
  /** Between HEARTBEAT events. Default 15 000, as a real master's, which cannot be changed. */
  readonly heartbeatMs?: number;
  /** Set: every scheduler must authenticate as one of these (HTTP Basic). */
  readonly credentials?: readonly { readonly principal: string; readonly secret: string }[];
  readonly logger?: Logger;
}

export interface RunningMaster {
  readonly host: string;
  readonly port: number;
  /** `http://host:port` */
  readonly url: string;
  close(): Promise<void>;
}
