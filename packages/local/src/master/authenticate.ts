/** HTTP Basic authentication of schedulers, as `--authenticate_http_frameworks` of a real master. */
import { timingSafeEqual } from 'node:crypto';
import type { MasterOptions } from './options.ts';

export type Authentication = { readonly principal: string | undefined } | 'refused';

function same(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}

/** Without credentials to compare with, the header is not looked at and nobody has a principal. */
export function authenticate(
  header: string | undefined,
  credentials: MasterOptions['credentials'],
): Authentication {
  if (credentials === undefined) return { principal: undefined };
  // The scheme is case-sensitive and followed by exactly one space.
  const encoded = /^Basic ([A-Za-z0-9+/=]+)$/.exec(header ?? '')?.[1];
  if (encoded === undefined) return 'refused';
  const parts = Buffer.from(encoded, 'base64').toString('utf8').split(':');
  const [principal, secret] = parts;
  if (parts.length !== 2 || principal === undefined || secret === undefined) return 'refused';
  const known = credentials.find((credential) => credential.principal === principal);
  return known !== undefined && same(known.secret, secret) ? { principal } : 'refused';
}
