import { type ExecutionContext, createParamDecorator } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { spelledKeyRule } from '@holdfast/commands';
import { ProblemException, invalidRequest } from '@holdfast/platform';
import { versionOfEtag } from '../../shared/etag.js';
import { actorOf } from './actor.js';
import type { HttpAnswer } from '@holdfast/nestjs/http';
import { invalidHeader } from './invalid-request.js';

const JSON_MEDIA_TYPE = 'application/json; charset=utf-8';

/** RFC 9110, 13.1, without those that are about reading. */
const PRECONDITIONS = [
  ['if-match', 'If-Match'],
  ['if-none-match', 'If-None-Match'],
  ['if-unmodified-since', 'If-Unmodified-Since'],
] as const;

/** The header fields of one request for a command, and the answer to it. A handler asks for it with `@Exchange()`. */
export class CommandExchange {
  constructor(
    private readonly request: FastifyRequest,
    private readonly reply: FastifyReply,
  ) {}

  get actor(): string {
    return actorOf();
  }

  get correlationId(): string {
    return this.request.id;
  }

  /** `Idempotency-Key` as it is spelled: `CommandKeys` knows which key that is. Throws `invalid-request`. */
  get spelledKey(): string | undefined {
    const header = this.header('idempotency-key');
    if (header !== undefined && !spelledKeyRule.accepts(header))
      throw invalidHeader('Idempotency-Key', spelledKeyRule.problem);
    return header;
  }

  /** Throws `idempotency-key-missing`. */
  get requiredSpelledKey(): string {
    const key = this.spelledKey;
    if (key === undefined) throw new ProblemException('idempotency-key-missing');
    return key;
  }

  /** `If-Match` as it was sent. */
  get ifMatch(): string | undefined {
    return this.header('if-match')?.trim();
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

  /**
   * A precondition that nobody checks is refused: whoever sends it counts on the command not being applied when it does not hold. Throws `invalid-request`.
   */
  assertNoOtherPrecondition(takesIfMatch = false): void {
    const name = this.otherPrecondition(takesIfMatch);
    if (name !== undefined)
      throw invalidHeader(name, 'is not taken here: this command compares nothing with it');
  }

  /** The name of a precondition that nobody checks, if there is one. */
  otherPrecondition(takesIfMatch: boolean): string | undefined {
    return PRECONDITIONS.find(
      ([field]) => this.header(field) !== undefined && !(takesIfMatch && field === 'if-match'),
    )?.[1];
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

  private header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(', ') : value;
  }
}

export const Exchange = createParamDecorator(
  (_: unknown, context: ExecutionContext) =>
    new CommandExchange(
      context.switchToHttp().getRequest<FastifyRequest>(),
      context.switchToHttp().getResponse<FastifyReply>(),
    ),
);
