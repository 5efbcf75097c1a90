import type { ServerResponse } from 'node:http';

/** Whether a client knows that it has all of an answer of undeclared length. One of HTTP/1.0 sees the connection end, as it also does when we are killed. */
export function tellsItsEnd({ useChunkedEncodingByDefault }: ServerResponse): boolean {
  return useChunkedEncodingByDefault;
}

/** Ends an answer in the middle, so that half of it does not look like the whole: where the end of the connection is the end of an answer, it is reset (RFC 9112, 6.3). */
export function breakOff(outgoing: ServerResponse): void {
  try {
    if (!tellsItsEnd(outgoing)) outgoing.socket?.resetAndDestroy();
  } catch {
    // Only TCP can be reset: TLS and pipes end without more ado.
  }
  outgoing.destroy();
}
