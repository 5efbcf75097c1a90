import {
  type AnyCommand,
  type AnyDecider,
  type CommandOutcome,
  actorRule,
  keySpelledAs,
} from '@holdfast/commands';
import { type CodedError, assert, errorCode } from '@holdfast/kernel';
import {
  type CallHandler,
  type ExecutionContext,
  Inject,
  Injectable,
  type NestInterceptor,
} from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { type Observable, catchError, defer, map, mergeMap, of } from 'rxjs';
import { CommandHeaders } from '../http/command-headers.js';
import { COMMAND_ERRORS } from '../http/command-problems.js';
import { type HttpAnswer, HttpAnswers } from '../http/http-answers.js';
import type { ProblemParameters } from '../http/problem-details.js';
import { ProblemException } from '../http/problem.exception.js';
import { serviceStopping } from '../http/query-problems.js';
import { requestHash } from '../http/request-hash.js';
import { EventStore } from '../store/event-store.js';
import { subjectOf } from '../store/handler-checks.js';
import { type Exchange, exchangeOf, respond } from '../http/exchange.js';

/** An answer to a command with what its outcome and its route say of it. */
interface Told {
  readonly body: object;
  readonly rejected: boolean;
  readonly status: number;
}

/** Says what is to be done with the command, and nothing of what it means. */
const DRY_RUN = 'dryRun';

@Injectable()
export class CommandInterceptor implements NestInterceptor {
  private readonly answers: HttpAnswers<Told>;

  constructor(
    @Inject(EventStore) private readonly store: EventStore,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {
    this.answers = new HttpAnswers<Told>(store.problems, COMMAND_ERRORS, {
      shown: ({ status, body }) => ({ status, headers: {}, body }),
      rejection: ({ rejected, body }) =>
        rejected
          ? (body as { readonly problem: string; readonly parameters: ProblemParameters })
          : undefined,
    });
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    const { subject } = subjectOf(context.getHandler() as () => unknown);
    const exchange = exchangeOf(context);
    const { stopping } = this.store;
    return defer(() => {
      this.assertTakesCommands();
      assertJson(exchange.request);
      // Of what was sent, whatever the handler makes of it.
      const bodyHash = hashOf(exchange);
      return next
        .handle()
        .pipe(
          mergeMap((command: unknown) =>
            this.answer(subject as AnyDecider, command, exchange, bodyHash),
          ),
        );
    }).pipe(
      catchError((error: unknown) => of(this.answers.thrown(error))),
      map((answer) => respond(this.host.httpAdapter, exchange.response, answer, stopping)),
    );
  }

  /** A client that goes on sending does not keep a service from its end. Throws `service-stopping`. */
  private assertTakesCommands(): void {
    const { stopping, writer } = this.store;
    // Of a log that has failed the writer itself says what happened.
    if (stopping.aborted && writer.failure === undefined) throw serviceStopping();
  }

  private async answer(
    decider: AnyDecider,
    command: unknown,
    exchange: Exchange,
    bodyHash: string,
  ): Promise<HttpAnswer> {
    assert(isCommandOf(decider, command), `the handler returns a command of ${decider.name}`);
    try {
      return await this.executed(decider, command, exchange, bodyHash);
    } catch (error) {
      return this.answers.failure(malformedBy(error) ?? error);
    }
  }

  /** Throws `ProblemException` and what `CommandWriter.execute` throws. */
  private async executed(
    decider: AnyDecider,
    command: AnyCommand,
    { request, query, response }: Exchange,
    bodyHash: string,
  ): Promise<HttpAnswer> {
    const { writer, options } = this.store;
    const headers = new CommandHeaders(request.headers);
    const dryRun = dryRunOf(query);
    headers.assertNoOtherPrecondition();
    const actor = options.actor?.(request) ?? 'anonymous';
    assert(actorRule.accepts(actor), `an actor ${actorRule.problem}`);
    const keyOptional = dryRun || decider.keyless?.includes(command.type) === true;
    const spelledKey = keyOptional ? headers.spelledKey : headers.requiredSpelledKey;
    const idempotency =
      spelledKey === undefined || dryRun ? undefined : { key: keySpelledAs(spelledKey), bodyHash };
    const outcome = await writer.execute(command, { actor, dryRun, idempotency });
    const { statusCode: status } = response;
    const answer = this.answers.outcome(told(outcome, status), writer.log);
    if (!dryRun) return answer;
    return { ...answer, headers: { ...answer.headers, 'Holdfast-Dry-Run': 'true' } };
  }
}

function told(outcome: CommandOutcome<object>, status: number): CommandOutcome<Told> {
  switch (outcome.kind) {
    case 'answered': {
      const rejected = outcome.outcome === 'rejected';
      return { ...outcome, answer: { status, rejected, body: outcome.answer } };
    }
    case 'rehearsed':
      return { ...outcome, answer: { status, rejected: false, body: outcome.answer } };
    default:
      return outcome;
  }
}

function isCommandOf(decider: AnyDecider, command: unknown): command is AnyCommand {
  const type: unknown = (command as Partial<AnyCommand> | null | undefined)?.type;
  return typeof type === 'string' && Object.hasOwn(decider.decide, type);
}

/** Throws `invalid-request`. */
function dryRunOf(query: URLSearchParams): boolean {
  const [asked, ...others] = query.getAll(DRY_RUN);
  if (asked === undefined || (others.length === 0 && (asked === 'true' || asked === 'false')))
    return asked === 'true';
  throw new ProblemException('invalid-request', {
    parameters: {
      errors: [{ in: 'query', pointer: '/dryRun', detail: 'dryRun must be true or false' }],
    },
  });
}

/** `application/json`, or a type that is JSON by its suffix. */
const JSON_TYPE = /^\s*application\/([^\s;]+\+)?json\s*(;|$)/i;

/**
 * What is not in the hash would have the key of any other: a body that is no JSON, an upload for one, and one that no parser has read, whatever its type says. Throws
 * `unsupported-media-type`.
 */
function assertJson({ headers, body }: Exchange['request']): void {
  const isSent =
    Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
  const isJson = JSON_TYPE.test(String(headers['content-type']));
  if ((isSent && (!isJson || body === undefined)) || ArrayBuffer.isView(body)) throw notJson();
}

function notJson(cause?: unknown): ProblemException {
  return new ProblemException('unsupported-media-type', {
    detail: 'The body of a command is JSON: send application/json.',
    cause,
  });
}

/** Over what was sent and a handler may take (`assertHandlers`). Throws `invalid-request`. */
function hashOf({ request: { method, path, body }, query: sent }: Exchange): string {
  const query = new URLSearchParams(sent);
  query.delete(DRY_RUN);
  try {
    return requestHash({ method, path, query, body: body ?? {} });
  } catch (error) {
    // Of a body that is JSON nothing can fail but that the spelling is as deep as the body.
    throw error instanceof TypeError ? notJson(error) : nestedTooDeeply(error);
  }
}

/** What the client sent stands in an event more deeply than the log takes, or names an entry of a lookup. Anything else that makes an event invalid is the decider's fault. */
function malformedBy(error: unknown): ProblemException | undefined {
  if (errorCode(error) !== 'EVENT_INVALID') return undefined;
  const { depthMax, key } = (error as CodedError).details;
  if (depthMax !== undefined) return nestedTooDeeply(error);
  return key === undefined ? undefined : notWellFormed(error);
}

function notWellFormed(cause: unknown): ProblemException {
  return new ProblemException('invalid-request', {
    detail: 'A text that names something is not well-formed Unicode.',
    cause,
  });
}

function nestedTooDeeply(cause: unknown): ProblemException {
  return new ProblemException('invalid-request', {
    detail: 'The body is nested too deeply.',
    cause,
  });
}
