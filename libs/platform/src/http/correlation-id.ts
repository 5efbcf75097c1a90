import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

export const CORRELATION_ID_HEADER = 'x-correlation-id';

const ACCEPTED = /^[A-Za-z0-9._:/+=@-]{1,128}$/;

/**
 * The id under which everything that belongs to a request is found again: the one it came with, or a new one. It is written to logs,
 * events and header fields, so one with other characters is replaced.
 */
export function correlationIdOf({ headers }: Pick<IncomingMessage, 'headers'>): string {
  const given = headers[CORRELATION_ID_HEADER];
  return typeof given === 'string' && ACCEPTED.test(given) ? given : randomUUID();
}
