import { type Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import type { ProblemCatalogue } from '../problems/problem-catalogue.js';
import { PROBLEM_MEDIA_TYPE } from '../problems/problem-details.js';

const SLUGS_BY_CODE: Readonly<Record<string, string>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
  HPE_HEADER_OVERFLOW: 'headers-too-large',
};

/** Answers bytes that are not HTTP, before there is a request that a filter could see. */
export function answerClientError(
  catalogue: ProblemCatalogue,
  error: Error & { readonly code?: string },
  socket: Socket,
): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const problem = catalogue.describe(SLUGS_BY_CODE[error.code ?? ''] ?? 'invalid-request');
  const body = JSON.stringify(problem);
  if (socket.writable)
    socket.write(
      `HTTP/1.1 ${problem.status} ${STATUS_CODES[problem.status] ?? ''}\r\n` +
        `content-type: ${PROBLEM_MEDIA_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\n` +
        `cache-control: no-store\r\nx-content-type-options: nosniff\r\nconnection: close\r\n\r\n${body}`,
    );
  socket.destroySoon();
}
