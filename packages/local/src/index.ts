export type { ClusterControl, Victim } from './cluster-control.ts';
