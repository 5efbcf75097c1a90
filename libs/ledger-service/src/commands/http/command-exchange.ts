import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ProblemException, invalidRequest } from '@holdfast/platform';
import { versionOfEtag } from '../../shared/etag.js';
import { actorOf } from './actor.js';
import { CommandHeaders, type HttpAnswer, invalidHeader } from '@holdfast/nestjs/http';

const JSON_MEDIA_TYPE = 'application/json; charset=utf-8';

/** The header fields of one request for a command, and the answer to it. A handler asks for it with `@Exchange()`. */
export class CommandExchange extends CommandHeaders {
  constructor(
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
  ) {
    super(request.headers);
  }

  get actor(): string {
    return actorOf();
  }

  get correlationId(): string {
    return this.request.id;
  }

  /** The version that `If-Match` asks for; undefined when there is none, or for `*`. Throws `invalid-request`. */
  get expectedVersion(): number | undefined {
    const { ifMatch } = this;
    if (ifMatch === undefined) return undefined;
    const version = versionOfEtag(ifMatch);
    if (version === undefined)
      throw invalidHeader('If-Match', 'must be one strong ETag as this resource gave it, or "*"');
    return version === 'any' ? undefined : version;
  }

  /** As `expectedVersion`, for what must not be changed unseen. Throws `precondition-required`. */
  get requiredVersion(): number {
    const version = this.expectedVersion;
    if (version === undefined) throw new ProblemException('precondition-required');
    return version;
  }

  /** For a command that its path says all of: unknown members are refused there too. Throws `invalid-request`. */
  assertEmptyBody(): void {
    const { body } = this.request;
    if (body === undefined || body === null) return;
    if (typeof body !== 'object' || Array.isArray(body))
      throw invalidRequest('body', [{ pointer: '', detail: 'must be an object' }]);
    const names = Object.keys(body);
    if (names.length === 0) return;
    throw invalidRequest(
      'body',
      names.map((name) => ({ pointer: `/${name}`, detail: `property ${name} should not exist` })),
    );
  }

  /** Sets status and header fields. What the handler returns is the body as text, so that every byte of an answer is ours. */
  answer({ status, headers, body }: HttpAnswer): string {
    this.reply.status(status).header('Content-Type', JSON_MEDIA_TYPE).headers(headers);
    return JSON.stringify(body);
  }
}

export const Exchange = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    new CommandExchange(
      context.switchToHttp().getRequest<FastifyRequest>(),
      context.switchToHttp().getResponse<FastifyReply>(),
    ),
);
