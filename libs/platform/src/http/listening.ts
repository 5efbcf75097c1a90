import { once } from 'node:events';
import { createServer } from 'node:net';
import { CodedError, errorCode, errorMessage } from '@holdfast/kernel';

/** Where a service is to listen, and which variable says so. */
export interface ListeningPlace {
  readonly port: number;
  readonly host: string;
  /** Such as `HOLDFAST_HTTP_PORT`. */
  readonly variable: string;
}

/**
 * Listens at each place for a moment, before a service makes anything on the disk: what it would fail with at its end it fails with at its
 * beginning. Throws `PORT_IN_USE`, `PORT_UNUSABLE`.
 */
export async function assertPlacesFree(...places: readonly ListeningPlace[]): Promise<void> {
  for (const place of places) {
    if (place.port === 0) continue;
    const server = createServer();
    try {
      server.listen(place.port, place.host);
      await once(server, 'listening');
      server.close();
      await once(server, 'close');
    } catch (error) {
      throw asUnusablePlace(error, place);
    }
  }
}

/** What listening failed with, as an error that names the port, its variable and who may have it. */
export function asUnusablePlace(error: unknown, { port, host, variable }: ListeningPlace): unknown {
  const code = errorCode(error);
  const details = { host, port, variable };
  if (code === 'EADDRINUSE')
    return new CodedError(
      'PORT_IN_USE',
      `port ${port} of ${host} is taken: another Holdfast may run already, or another program listens there (\`ss -ltnp 'sport = :${port}'\` names it). ${variable} names another port`,
      details,
    );
  if (code === 'EACCES' || code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND')
    return new CodedError(
      'PORT_UNUSABLE',
      `this process cannot listen on port ${port} of ${host} (${variable}): ${errorMessage(error)}`,
      details,
    );
  return error;
}
