import type { FastifyInstance } from 'fastify';

const NEWLINE = 10;

/**
 * JSON answers end with a newline, so that what comes after one on a terminal begins on a line of its own. What is handed on for another
 * service, with the length that it told, stays as it is.
 */
export function endByNewline(fastify: FastifyInstance): void {
  fastify.addHook('onSend', (_request, reply, payload, done) => {
    const isJson = /\bjson\b/.test(String(reply.getHeader('content-type')));
    const isOurs = reply.getHeader('content-length') === undefined;
    done(null, isJson && isOurs ? endedByNewline(payload) : payload);
  });
}

function endedByNewline(payload: unknown): unknown {
  if (typeof payload === 'string') return payload.endsWith('\n') ? payload : `${payload}\n`;
  if (!Buffer.isBuffer(payload) || payload.at(-1) === NEWLINE) return payload;
  return Buffer.concat([payload, Buffer.of(NEWLINE)]);
}
