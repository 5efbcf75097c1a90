import { BEFORE_FIRST_POSITION, type Position } from '@holdfast/event-store';
import type { HttpAnswer } from '@holdfast/nestjs/http';
import {
  type Attempt,
  type Idempotency,
  type PendingOutcome,
  encodePosition,
  placeIn,
} from '@holdfast/commands';
import type { Answer } from '@holdfast/ledger';
import { Injectable } from '@nestjs/common';
import { LedgerWriter } from '../../write-side/ledger-writer.js';
import { commandKeyOf } from '../http/command-key.js';
import { failureAnswer, invalidAnswer, outcomeAnswer, problemAnswer } from '../http/http-answer.js';
import { type BulkItem, bulkItemHash, bulkItemOf, lacksKey, withoutKey } from './bulk-item.js';

/** What all items of a bulk have in common. */
export type BulkAttempt = Omit<Attempt, 'idempotency'>;

const NOT_APPLIED = { outcome: 'not-applied' } as const;

/** An item whose command waits for the disk, or one that is answered already. */
type AdmittedItem =
  | { readonly pending: PendingOutcome<Answer>; readonly pointer: string }
  | { readonly answer: HttpAnswer };

/**
 * Independent commands: each is its own batch, and all of them share the group commits that they fall into.
 *
 * A command may rest on those before it. So once one was not applied for a reason that passes, nothing is decided any more: a refusal
 * that rests on its absence would be recorded, and repeat itself for ever under its key.
 */
@Injectable()
export class BulkEndpoint {
  constructor(private readonly writer: LedgerWriter) {}

  async answer(
    ledger: string,
    commands: readonly unknown[],
    attempt: BulkAttempt,
  ): Promise<HttpAnswer> {
    // All are admitted before any is waited for, so one group commit holds them and no other command comes between.
    const items: AdmittedItem[] = [];
    let interrupted = false;
    for (const [index, command] of commands.entries()) {
      const item = this.admit(ledger, command, `/commands/${index}`, attempt, interrupted);
      items.push(item);
      interrupted ||= 'answer' in item && passes(item.answer);
    }
    const results: HttpAnswer[] = [];
    let last = BEFORE_FIRST_POSITION;
    for (const item of items) {
      if ('answer' in item) {
        results.push(item.answer);
        continue;
      }
      const { answer, position } = await this.settle(item.pending, item.pointer);
      if (position > last) last = position;
      results.push(answer);
    }
    return { status: 200, headers: this.headersOf(last, attempt), body: { results } };
  }

  /** Whether every command was used with its key before, so that nothing is decided. */
  knowsAll(ledger: string, commands: readonly unknown[], actor: string): boolean {
    return commands.every((command, index) => {
      const item = bulkItemOf(ledger, command, `/commands/${index}`);
      if (!item.valid) return false;
      try {
        const idempotency = this.idempotencyOf(ledger, actor, item.value);
        return idempotency !== undefined && !this.isNew(ledger, actor, idempotency);
      } catch (error) {
        // What cannot be read is told of its item, or is a bug.
        failureAnswer(error);
        return false;
      }
    });
  }

  private admit(
    ledger: string,
    command: unknown,
    pointer: string,
    attempt: BulkAttempt,
    interrupted: boolean,
  ): AdmittedItem {
    const { actor, dryRun = false } = attempt;
    if (!dryRun && lacksKey(command)) return { answer: problemAnswer('idempotency-key-missing') };
    const item = bulkItemOf(ledger, dryRun ? withoutKey(command) : command, pointer);
    if (!item.valid) return { answer: invalidAnswer(item.errors) };
    try {
      // Of an old key, this may read the archive, which may be away.
      const idempotency = this.idempotencyOf(ledger, actor, item.value);
      // A key that is known is answered from what it was used for, which decides and records nothing; nor does a dry run.
      if (interrupted && idempotency !== undefined && this.isNew(ledger, actor, idempotency))
        return { answer: problemAnswer('not-applied', NOT_APPLIED, { 'Retry-After': '1' }) };
      const pending = this.writer.admit(item.value.command, { ...attempt, idempotency });
      return { pending, pointer };
    } catch (error) {
      return { answer: failureAnswer(error) };
    }
  }

  private idempotencyOf(ledger: string, actor: string, item: BulkItem): Idempotency | undefined {
    const { spelledKey } = item;
    if (spelledKey === undefined) return undefined;
    const bodyHash = bulkItemHash(item);
    return { key: commandKeyOf(this.writer, { ledger, actor, spelledKey }, bodyHash), bodyHash };
  }

  private isNew(ledger: string, actor: string, { key, bodyHash }: Idempotency): boolean {
    return this.writer.recognise({ scope: ledger, actor, key }, bodyHash) === 'new';
  }

  private async settle(
    pending: PendingOutcome<Answer>,
    pointer: string,
  ): Promise<{ readonly answer: HttpAnswer; readonly position: Position }> {
    try {
      const outcome = await this.writer.settle(pending);
      return {
        answer: outcomeAnswer(outcome, this.writer.log, `${pointer}/body`),
        position: outcome.kind === 'answered' ? outcome.position : BEFORE_FIRST_POSITION,
      };
    } catch (error) {
      return { answer: failureAnswer(error), position: BEFORE_FIRST_POSITION };
    }
  }

  private headersOf(last: Position, { dryRun }: BulkAttempt): Record<string, string> {
    if (dryRun === true) return { 'Holdfast-Dry-Run': 'true' };
    if (last === BEFORE_FIRST_POSITION) return {};
    return { 'Holdfast-Position': encodePosition(placeIn(this.writer.log, last)) };
  }
}

/** Overloaded, full, unavailable, an untrusted clock: the same command may succeed in a moment. */
function passes({ status }: HttpAnswer): boolean {
  return status === 429 || status >= 500;
}
