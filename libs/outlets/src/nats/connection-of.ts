import type { NodeConnectionOptions } from '@nats-io/transport-node';

/**
 * `nats://user:password@host:4222`, `nats://token@host`, or `tls://…`, which asks for TLS; several servers with commas between, all of one account. What is left over is the client's
 * default. Throws a `TypeError` for what is no address.
 */
export function connectionOf(address: string): NodeConnectionOptions {
  const urls = address.split(',').map((text) => new URL(text.trim()));
  const [{ username, password, protocol }] = urls as [URL, ...URL[]];
  const [user, pass] = [decodeURIComponent(username), decodeURIComponent(password)];
  return {
    servers: urls.map(({ hostname, port }) => `${hostname}:${port || 4222}`),
    ...(user !== '' && (pass === '' ? { token: user } : { user, pass })),
    ...(protocol === 'tls:' && { tls: {} }),
  };
}
