export type { VerifyReport } from './demo/report.ts';
