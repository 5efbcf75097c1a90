import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';

/** What makes two requests the same. */
export interface HashedRequest {
  readonly method: string;
  /** The canonical path, without query parameters. */
  readonly path: string;
  /** Where parameters change what a command means: all that do. Their order by name is nothing to them; none is as left out. */
  readonly query?: URLSearchParams;
  readonly ifMatch?: string | undefined;
  /** As validated: unknown members were refused, absent ones are absent. */
  readonly body: object;
}

/**
 * What a repeated idempotency key is compared by. Recorded with each command and compared for as long as its key is
 * remembered, so neither the spelling nor the hash ever changes.
 */
export function requestHash({ method, path, query, ifMatch, body }: HashedRequest): string {
  const target = `${path}${canonicalQuery(query)}`;
  return hash(
    'sha256',
    `${method} ${target}\n${ifMatch ?? ''}\n${canonicalJson(body)}`,
    'base64url',
  );
}

function canonicalQuery(query: URLSearchParams | undefined): string {
  if (query === undefined || query.size === 0) return '';
  const sorted = new URLSearchParams(query);
  sorted.sort();
  return `?${sorted.toString()}`;
}
