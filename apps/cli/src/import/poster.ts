import { problemText, type ServiceAnswer, type ServiceClient } from '../service/service-client.js';
import type { Batch, BatchSink, KnownAccounts, Posted } from './batch.js';
import {
  type BulkItem,
  type ItemAnswer,
  bulkBody,
  bulkPath,
  itemAnswers,
  toldAnswer,
} from './bulk.js';
import { ImportError } from './import.errors.js';
import { type Witness, laterOf, stands, witnessOf } from './witness.js';

const OK = 200;
const SUCCESS_MAX = 299;
const CONFLICT = 409;
const GONE = 410;
const TOO_MANY_REQUESTS = 429;
const SERVER_ERROR_MIN = 500;

/** Posts batches to a ledger. Everything it sends may be sent again: by its name or by its keys. */
export class Poster implements BatchSink {
  private readonly ledgerPath: string;

  constructor(
    private readonly client: Pick<ServiceClient, 'get' | 'put' | 'post'>,
    private readonly ledger: string,
    private readonly known: KnownAccounts,
  ) {
    this.ledgerPath = `/v1/ledgers/${encodeURIComponent(ledger)}`;
  }

  /** Throws `IMPORT_REFUSED`: for an asset that is there with another scale. */
  async openLedger(asset: { readonly code: string; readonly scale: number }): Promise<void> {
    this.mustSucceed(await this.client.put(this.ledgerPath), `ledger ${this.ledger}`);
    this.mustSucceed(
      await this.client.put(`${this.ledgerPath}/assets/${asset.code}`, { scale: asset.scale }),
      `asset ${asset.code}`,
    );
  }

  async confirms(witness: Witness): Promise<boolean> {
    return isAnswered(witness, await this.client.get(this.commandPath(witness)));
  }

  /**
   * Sends a batch until each of its commands has its final answer. A restore may come between two requests, and its ledger may have grown past the old
   * place since, so each bulk begins with the command of the witness: nothing comes between the commands of a bulk, so where the witness is answered
   * as before, the batch meets everything that stood before it. A bulk takes no key twice, so behind a batch that has this key itself it is asked for.
   * Before a bulk is sent again it is asked for as well, since a batch that misses rows before it may be refused for good.
   */
  async post(batch: Batch): Promise<Posted> {
    const { witness } = batch;
    const front = witness === undefined || batch.has(witness.key) ? [] : [witness];
    const accounts = [...batch.accounts.values()];
    const items: readonly BulkItem[] = [
      ...front,
      ...accounts,
      ...batch.rows.map(({ mapped }) => ({ key: mapped.key, command: mapped.transfer })),
    ];
    const answer = await this.client.post(bulkPath(this.ledgerPath), bulkBody(items), {
      unfinished: (given) =>
        given.status === OK ? waitsFor(itemAnswers(given.body, items.length)) : undefined,
      ground: witness && {
        path: this.commandPath(witness),
        check: (given) => mustStand(witness, isAnswered(witness, given)),
      },
    });
    this.mustSucceed(answer, `a batch of ${items.length} commands`);
    const answers = itemAnswers(answer.body, items.length);
    if (witness !== undefined)
      mustStand(
        witness,
        front.length > 0 ? repeats(witness, answers) : await this.confirms(witness),
      );
    const opened = answers.slice(front.length, front.length + accounts.length);
    accounts.forEach(({ id }, index) => {
      if (isOpen(opened[index])) this.known.add(id);
    });
    const rows = answers.slice(front.length + accounts.length);
    const witnesses = batch.rows.map(({ mapped }, index) => {
      const row = rows[index];
      return row && succeeded(row) ? witnessOf(mapped.key, mapped.transfer, row) : undefined;
    });
    return {
      newest: witnesses.reduce(laterOf, undefined),
      posted: rows.filter(succeeded).length,
      repeated: rows.filter((row) => succeeded(row) && row.replayed).length,
      unknown: rows.filter(isUnknown).length,
      accountsOpened: opened.filter((account) => succeeded(account) && !account.replayed).length,
      rejects: batch.rows.flatMap(({ line, fields }, index) => {
        const row = rows[index];
        if (row === undefined || succeeded(row) || isUnknown(row)) return [];
        return [{ line, fields, reason: problemText(row) }];
      }),
    };
  }

  private commandPath({ key }: Witness): string {
    return `${this.ledgerPath}/commands/${encodeURIComponent(key)}`;
  }

  private mustSucceed(answer: ServiceAnswer, what: string): void {
    if (answer.status <= SUCCESS_MAX) return;
    throw new ImportError('IMPORT_REFUSED', `the service refuses ${what}: ${problemText(answer)}`, {
      status: answer.status,
    });
  }
}

/** To a question after the command of the witness. */
function isAnswered(witness: Witness, { body }: ServiceAnswer): boolean {
  const { answer } = (body ?? {}) as { answer?: unknown };
  return stands(witness, toldAnswer(answer));
}

function repeats(witness: Witness, [first]: readonly ItemAnswer[]): boolean {
  return first !== undefined && first.replayed && stands(witness, first);
}

function mustStand({ key }: Witness, itStands: boolean): void {
  if (itStands) return;
  throw new ImportError(
    'IMPORT_HISTORY_CHANGED',
    `the ledger does not answer ${key} as it did: it was restored to an earlier moment, or retention has removed the answer`,
    { key },
  );
}

function succeeded({ status }: ItemAnswer): boolean {
  return status <= SUCCESS_MAX;
}

/**
 * Retention has removed what an earlier run was answered. Most such rows are posted, so among the rejects they would be mended and posted a second
 * time; and what was refused then is none that is posted.
 */
function isUnknown({ status }: ItemAnswer): boolean {
  return status === GONE;
}

/** What the first command that is to be sent again waits for: those after it wait for that one. */
function waitsFor(answers: readonly ItemAnswer[]): string | undefined {
  const waiting = answers.find((answer) => !isFinal(answer));
  return waiting && problemText(waiting);
}

/** Not overloaded, not failing, not still being answered for somebody else. */
function isFinal({ status, body }: ItemAnswer): boolean {
  if (status === TOO_MANY_REQUESTS || status >= SERVER_ERROR_MIN) return false;
  return status !== CONFLICT || !problemText({ status, body }).startsWith('idempotency-in-flight');
}

/**
 * The account is there: opened now or by an earlier run, by somebody else, or by an earlier row of an earlier run, whose metadata
 * made another command under the same key.
 */
function isOpen(answer: ItemAnswer | undefined): boolean {
  if (answer === undefined) return false;
  return succeeded(answer) || /^(account-exists|idempotency-key-reused)/.test(problemText(answer));
}
