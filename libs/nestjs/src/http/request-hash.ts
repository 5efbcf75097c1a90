import { hash } from 'node:crypto';
import { canonicalJson } from './canonical-json.js';

/** What makes two requests the same. */
export interface HashedRequest {
  readonly method: string;
  /** The canonical path. No query parameter changes what a command means, so there is none in it. */
  readonly path: string;
  readonly ifMatch?: string | undefined;
  /** As validated: unknown members were refused, absent ones are absent. */
  readonly body: object;
}

/**
 * What a repeated idempotency key is compared by. Recorded with each command and compared for as long as its key is
 * remembered, so neither the spelling nor the hash ever changes.
 */
export function requestHash({ method, path, ifMatch, body }: HashedRequest): string {
  return hash('sha256', `${method} ${path}\n${ifMatch ?? ''}\n${canonicalJson(body)}`, 'base64url');
}
