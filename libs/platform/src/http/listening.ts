import { once } from 'node:events';
import { type Server, type Socket, createServer } from 'node:net';
import { CodedError, errorCode, errorMessage } from '@holdfast/kernel';

/** Where a service is to listen, and which variable says so. */
export interface ListeningPlace {
  readonly port: number;
  readonly host: string;
  /** Such as `HOLDFAST_HTTP_PORT`. */
  readonly variable: string;
}

/**
 * Listens at all places for a moment, before a service makes anything on the disk: what it would fail with at its end it fails with at its
 * beginning. Throws `PORT_IN_USE`, `PORT_UNUSABLE`.
 */
export async function assertPlacesFree(...places: readonly ListeningPlace[]): Promise<void> {
  const held: { readonly place: ListeningPlace; readonly server: Server }[] = [];
  try {
    for (const place of places.filter(({ port }) => port !== 0)) {
      const server = createServer(hangUp);
      try {
        server.listen(place.port, place.host);
        await once(server, 'listening');
      } catch (error) {
        const own = held.find((one) => one.place.port === place.port);
        if (own !== undefined && errorCode(error) === 'EADDRINUSE')
          throw samePort(own.place, place);
        throw asUnusablePlace(error, place);
      }
      held.push({ place, server });
    }
  } finally {
    for (const { server } of held) {
      server.close();
      await once(server, 'close');
    }
  }
}

/** Whoever comes in this moment comes again: a connection that is kept would keep the port. */
function hangUp(socket: Socket): void {
  socket.on('error', () => undefined).destroy();
}

function samePort({ port, variable }: ListeningPlace, { variable: other }: ListeningPlace) {
  return new CodedError(
    'PORT_UNUSABLE',
    `${variable} and ${other} are both ${port}: each listens on a port of its own`,
    { port, variable, other },
  );
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
