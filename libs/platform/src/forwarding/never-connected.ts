/** What makes a connection: the calls that errors of the system name, and undici's own limit of time. */
const CONNECTING = new Set(['connect', 'getaddrinfo']);

interface ConnectionFault {
  readonly code?: unknown;
  readonly syscall?: unknown;
  /** Of an `AggregateError`: one for each address that was tried. */
  readonly errors?: readonly unknown[];
}

/**
 * Whether an error says that no connection was made, so that nothing of the request has left this process. By the call that failed and not by the code alone: `EHOSTUNREACH`
 * and `ENETUNREACH` also end a connection that was made, when the network between goes away (tcp(7), RFC 1122, 4.2.3.9).
 */
export function neverConnected(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  const { code, syscall, errors } = error as ConnectionFault;
  if (errors !== undefined) return errors.length > 0 && errors.every(neverConnected);
  return code === 'UND_ERR_CONNECT_TIMEOUT' || CONNECTING.has(syscall as string);
}
