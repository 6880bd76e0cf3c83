import { LedgerError } from '../ledger-store.ts';
import { systemCode } from './files.ts';

/** Runs a step; whatever it rejects with becomes a LedgerError that says what to do. */
export async function explained<T>(where: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (cause) {
    throw cause instanceof LedgerError ? cause : explain(where, cause);
  }
}

/** The system's own error in the ledger's words. */
export function explain(where: string, cause: unknown): LedgerError {
  const code = systemCode(cause);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return new LedgerError('full', `no space left to write ${where} (${code}); free some and try again`, {
        cause,
      });
    case 'EROFS':
    case 'EACCES':
    case 'EPERM':
      return new LedgerError(
        'read-only',
        `${where} cannot be read and written (${code}); correct its permissions or its mount, or choose another state directory`,
        { cause },
      );
    default:
      return new LedgerError(
        'unavailable',
        `${where}: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
  }
}
