import type { Idempotency } from '@holdfast/commands';
import type { LedgerCommand } from '@holdfast/ledger';
import { Injectable } from '@nestjs/common';
import { LedgerWriter } from '../../write-side/ledger-writer.js';
import type { CommandExchange } from './command-exchange.js';
import { commandKeyOf } from './command-key.js';
import { outcomeAnswer } from './http-answer.js';
import { type HashedRequest, requestHash } from '@holdfast/nestjs/http';

/** One request for a command, as its controller has understood it. */
export interface CommandRequest extends Omit<HashedRequest, 'ifMatch'> {
  readonly command: LedgerCommand;
  /** The path is all that names it, so that repeating it is harmless without a key. */
  readonly keyOptional?: boolean;
  /** The command compares a version, so that `If-Match` means something. */
  readonly takesIfMatch?: boolean;
  readonly dryRun: boolean;
}

/** What every command's controller does once it knows the command: hash, execute, answer. */
@Injectable()
export class CommandEndpoint {
  constructor(private readonly writer: LedgerWriter) {}

  /** The answer's body as text; status and header fields are set on the exchange. */
  async answer(exchange: CommandExchange, request: CommandRequest): Promise<string> {
    const { actor, correlationId } = exchange;
    const idempotency = this.idempotencyOf(exchange, request);
    // Earlier releases ignored preconditions that nobody checks: what was decided then is answered as it was.
    const takesIfMatch = request.takesIfMatch === true;
    if (exchange.otherPrecondition(takesIfMatch) !== undefined)
      if (this.isNew(request.command.ledger, actor, idempotency))
        exchange.assertNoOtherPrecondition(takesIfMatch);
    const outcome = await this.writer.execute(request.command, {
      actor,
      correlationId,
      dryRun: request.dryRun,
      idempotency,
    });
    const answer = outcomeAnswer(outcome, this.writer.log);
    return exchange.answer(
      request.dryRun
        ? { ...answer, headers: { ...answer.headers, 'Holdfast-Dry-Run': 'true' } }
        : answer,
    );
  }

  private isNew(ledger: string, actor: string, idempotency: Idempotency | undefined): boolean {
    if (idempotency === undefined) return true;
    const { key, bodyHash } = idempotency;
    return this.writer.recognise({ scope: ledger, actor, key }, bodyHash) === 'new';
  }

  /** A dry run has no key, and does not look at one. */
  private idempotencyOf(exchange: CommandExchange, request: CommandRequest) {
    if (request.dryRun) return undefined;
    const spelledKey =
      request.keyOptional === true ? exchange.spelledKey : exchange.requiredSpelledKey;
    if (spelledKey === undefined) return undefined;
    const { command, method, path, body } = request;
    const bodyHash = requestHash({ method, path, body, ifMatch: exchange.ifMatch });
    const { actor } = exchange;
    const key = commandKeyOf(this.writer, { ledger: command.ledger, actor, spelledKey }, bodyHash);
    return { key, bodyHash };
  }
}
