import { assert } from '@holdfast/kernel';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ProblemException } from '@holdfast/nestjs/http';
import { invalidRequest } from '../validation/strict-validation.pipe.js';
import { InvalidJson, parseJson } from '../json/parse-json.js';

const JSON_MEDIA_TYPE = 'application/json';

/**
 * From now on the instance takes JSON bodies and nothing else: every other media type is 415, also those that Fastify takes by itself. An
 * empty body is no body.
 */
export function acceptJsonBodiesOnly(fastify: FastifyInstance): void {
  fastify.removeAllContentTypeParsers();
  fastify.addContentTypeParser(JSON_MEDIA_TYPE, { parseAs: 'buffer' }, (request, body, done) => {
    try {
      assert(Buffer.isBuffer(body), 'the body was asked for as a buffer');
      done(null, parseBody(request, body));
    } catch (error) {
      done(error as Error);
    }
  });
}

function parseBody({ headers }: FastifyRequest, body: Buffer): unknown {
  assertPlainUtf8(headers['content-type'], headers['content-encoding']);
  if (body.byteLength === 0) return undefined;
  try {
    return parseJson(body);
  } catch (error) {
    if (!(error instanceof InvalidJson)) throw error;
    throw invalidRequest('body', [{ pointer: error.pointer, detail: error.reason }]);
  }
}

function assertPlainUtf8(contentType = '', contentEncoding = 'identity'): void {
  if (contentEncoding !== 'identity')
    throw new ProblemException('unsupported-media-type', {
      detail: `the content encoding ${contentEncoding} is not supported`,
    });
  const charset = /;\s*charset\s*=\s*"?([^\s;"]+)/i.exec(contentType)?.[1] ?? 'utf-8';
  if (!/^utf-?8$/i.test(charset))
    throw new ProblemException('unsupported-media-type', {
      detail: `JSON is sent as UTF-8, not as ${charset}`,
    });
}
