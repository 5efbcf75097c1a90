import { type Socket } from 'node:net';
import { STATUS_CODES, type ServerResponse } from 'node:http';
import { PROBLEM_MEDIA_TYPE, type ProblemCatalogue } from '@holdfast/nestjs/http';

const SLUGS_BY_CODE: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
  HPE_HEADER_OVERFLOW: 'headers-too-large',
};

/**
 * Answers bytes that are not HTTP, before there is a request that a filter could see, and a request that was not sent in time. Behind a request whose answer is still to come
 * the connection only ends: the client would take this answer for that one's, and a command that was applied for one that was refused.
 */
export function answerClientError(
  catalogue: ProblemCatalogue,
  error: Error & { readonly code?: string },
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const problem = catalogue.describe(SLUGS_BY_CODE[error.code ?? ''] ?? 'invalid-request');
  const body = JSON.stringify(problem);
  if (socket.writable && !isAnswering(socket))
    socket.write(
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n` +
        `content-type: ${PROBLEM_MEDIA_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
        `cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n${body}`,
    );
  socket.destroySoon();
}

/** An answer is under way, or to come to a request that came whole. Node keeps it in this property, and has no other way to tell. */
function isAnswering(socket: Socket & { readonly _httpMessage?: ServerResponse | null }): boolean {
  const answer = socket._httpMessage;
  return answer != null && (answer.headersSent || answer.req.complete);
}
