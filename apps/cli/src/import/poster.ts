import { problemText, type ServiceAnswer, type ServiceClient } from '../service/service-client.js';
import {
  type AccountKind,
  type Batch,
  type BatchSink,
  type KnownAccounts,
  type Posted,
  type TransferRow,
  type WaitingRow,
  divided,
  rejectOf,
} from './batch.js';
import {
  type BulkItem,
  type ItemAnswer,
  type ToldAnswer,
  bulkBody,
  bulkPath,
  itemAnswers,
  toldAnswer,
} from './bulk.js';
import { ImportError } from './import.errors.js';
import type { Reject } from './rejects-file.js';
import { takenId } from './row-identity.js';
import type { NeededAccount } from './row-mapper.js';
import { differenceOf, hasOtherLineEnds } from './same-transfer.js';
import { type Witness, laterOf, stands, witnessOf } from './witness.js';

const OK = 200;
const SUCCESS_MAX = 299;
const CONFLICT = 409;
const GONE = 410;
const TOO_LARGE = 413;
const TOO_MANY_REQUESTS = 429;
const SERVER_ERROR_MIN = 500;
/** What the problem of another command under a key begins with. */
const KEY_REUSED = 'idempotency-key-reused';

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

  /** Sends a batch until each of its commands has its final answer. A row that needs an account of another kind is not sent. */
  async post(batch: Batch): Promise<Posted> {
    const { witness } = batch;
    const accounts = [...batch.accounts.values()];
    const opened = await this.send(witness, accounts);
    const faults = await this.takeKnown(accounts, opened);
    const { postable, rejects } = divided(
      batch.rows,
      (account) => faults.get(account.id) ?? this.known.misfit(account),
    );
    this.known.trim();
    // The accounts once more: a restore may have taken them back since.
    const usable = accounts.filter(({ id }) => !faults.has(id));
    const answers =
      postable.length === 0 ? [] : await this.send(witness, [...usable, ...postable.map(itemOf)]);
    const outcome = await this.outcomeOf(postable, answers.slice(usable.length));
    const newest = accounts.reduce<Witness | undefined>((latest, { id, ...item }, index) => {
      const answer = opened[index];
      return answer === undefined || faults.has(id)
        ? latest
        : laterOf(latest, witnessOf(item, answer));
    }, outcome.newest);
    return {
      ...outcome,
      newest,
      accountsOpened: opened.filter((account) => succeeded(account) && !account.replayed).length,
      rejects: [...rejects, ...outcome.rejects],
    };
  }

  /**
   * A restore may come between two requests, and its ledger may have grown past the old place since, so each bulk begins with the command of the
   * witness: nothing comes between the commands of a bulk, so where the witness is answered as before, the others meet everything that stood before it.
   * Before a bulk is sent again it is asked for as well, since a batch that misses rows before it may be refused for good.
   */
  private async send(
    witness: Witness | undefined,
    items: readonly BulkItem[],
  ): Promise<readonly ItemAnswer[]> {
    if (items.length === 0) return [];
    // A bulk has each key once: an account that is the witness is answered with it.
    const sent =
      witness === undefined ? items : [witness, ...items.filter(({ key }) => key !== witness.key)];
    const answer = await this.client.post(bulkPath(this.ledgerPath), bulkBody(sent), {
      unfinished: (given) =>
        given.status === OK ? waitsFor(itemAnswers(given.body, sent.length)) : undefined,
      ground: witness && {
        path: this.commandPath(witness),
        check: (given) => mustStand(witness, isAnswered(witness, given)),
      },
    });
    this.mustSucceed(answer, `a batch of ${sent.length} commands`);
    const answers = itemAnswers(answer.body, sent.length);
    if (witness === undefined) return answers;
    mustStand(witness, repeats(witness, answers));
    const byKey = new Map(sent.map(({ key }, index) => [key, answers[index]]));
    return items.flatMap(({ key }) => byKey.get(key) ?? []);
  }

  /** Remembers what the accounts are that are there now; returns by id why another is not. */
  private async takeKnown(
    accounts: readonly NeededAccount[],
    answers: readonly ItemAnswer[],
  ): Promise<ReadonlyMap<string, string>> {
    const faults = new Map<string, string>();
    for (const [index, { id }] of accounts.entries()) {
      let answer: ServiceAnswer | undefined = answers[index];
      // Opened or refused by an earlier run: it is there, and its answer has left the log.
      if (answer?.status === GONE)
        answer = await this.client.get(`${this.ledgerPath}/accounts/${encodeURIComponent(id)}`);
      const kind = answer && kindOf(answer);
      if (kind !== undefined) this.known.add(id, kind);
      else
        faults.set(id, `account ${id}: ${problemText(answer ?? { status: 0, body: undefined })}`);
    }
    return faults;
  }

  private async outcomeOf(
    rows: readonly WaitingRow[],
    answers: readonly ItemAnswer[],
  ): Promise<Omit<Posted, 'accountsOpened'>> {
    let newest: Witness | undefined;
    let [posted, repeated, unknown] = [0, 0, 0];
    const rejects: Reject[] = [];
    for (const [index, waiting] of rows.entries()) {
      const answer = answers[index];
      if (answer === undefined || isUnknown(answer)) {
        unknown++;
        continue;
      }
      const made = succeeded(answer);
      const refusal = made ? undefined : await this.refusalOf(waiting, answer);
      if (refusal !== undefined) {
        const reject = rejectOf(waiting, refusal);
        const isTaken = await this.isKnownByKey(waiting, answer);
        rejects.push(isTaken ? takenReject(reject, waiting.mapped) : reject);
        continue;
      }
      posted++;
      if (!made || answer.replayed) repeated++;
      newest = laterOf(newest, witnessOf(itemOf(waiting), answer));
    }
    return { newest, posted, repeated, unknown, rejects };
  }

  /**
   * Undefined when the transfer is there under the reference that is made of its id: posted by another attempt, or so long ago that its key is forgotten.
   * Under one that the mapping gives it another row may be there, also one with the same legs.
   */
  private async refusalOf({ mapped }: WaitingRow, answer: ItemAnswer): Promise<string | undefined> {
    const problem = problemText(answer);
    if (problem.startsWith(KEY_REUSED)) {
      const { status, body } = await this.answerTo(mapped);
      return status <= SUCCESS_MAX && hasOtherLineEnds(mapped.transfer, body) ? undefined : problem;
    }
    const { transferId } = (answer.body ?? {}) as { readonly transferId?: unknown };
    if (!problem.startsWith('reference-exists') || typeof transferId !== 'string') return problem;
    const found = await this.client.get(this.transferPath(transferId, answer));
    if (found.status > SUCCESS_MAX)
      return `${problem} It cannot be compared with this row: ${problemText(found)}`;
    const difference = differenceOf(mapped.transfer, found.body);
    if (difference !== undefined) return `${problem} That one is another transfer: ${difference}`;
    if (mapped.givenReference === undefined) return undefined;
    return `${problem} That one has the legs and the time of this row: it is this row, or another with its reference`;
  }

  /** As another command under its key, by which alone it is known: another attempt has another key, and the reference is not that of the transfer. */
  private async isKnownByKey({ mapped }: WaitingRow, answer: ItemAnswer): Promise<boolean> {
    if (!problemText(answer).startsWith(KEY_REUSED)) return false;
    const { status, body } = await this.answerTo(mapped);
    if (status > SUCCESS_MAX) return false;
    const { reference } = (body ?? {}) as { readonly reference?: unknown };
    return typeof reference !== 'string' || reference !== mapped.transfer.reference;
  }

  /** What its key was answered; if that cannot be told any more, the status is no number. */
  private async answerTo(command: Pick<Witness, 'key'>): Promise<ToldAnswer> {
    return answerIn(await this.client.get(this.commandPath(command)));
  }

  private transferPath(transferId: string, { position }: ItemAnswer): string {
    const seen = position === undefined ? '' : `?minPosition=${encodeURIComponent(position)}`;
    return `${this.ledgerPath}/transfers/${encodeURIComponent(transferId)}${seen}`;
  }

  private commandPath({ key }: Pick<Witness, 'key'>): string {
    return `${this.ledgerPath}/commands/${encodeURIComponent(key)}`;
  }

  private mustSucceed(answer: ServiceAnswer, what: string): void {
    if (answer.status <= SUCCESS_MAX) return;
    const advice = answer.status === TOO_LARGE ? '; name fewer with --batch' : '';
    throw new ImportError(
      'IMPORT_REFUSED',
      `the service refuses ${what}: ${problemText(answer)}${advice}`,
      { status: answer.status },
    );
  }
}

/** To a question after the command of the witness. */
function isAnswered(witness: Witness, found: ServiceAnswer): boolean {
  return stands(witness, answerIn(found));
}

function answerIn({ body }: ServiceAnswer): ToldAnswer {
  const { answer } = (body ?? {}) as { answer?: unknown };
  return toldAnswer(answer);
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

function succeeded({ status }: Pick<ServiceAnswer, 'status'>): boolean {
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

/** Of the account that the command has opened, or that was there already. */
function kindOf(answer: ServiceAnswer): AccountKind | undefined {
  const isThere = succeeded(answer) || problemText(answer).startsWith('account-exists');
  const { asset, normalSide } = (answer.body ?? {}) as Partial<AccountKind>;
  return isThere && asset !== undefined && normalSide !== undefined
    ? { asset, normalSide }
    : undefined;
}

/** Whatever it is imported as, it stays a reject. */
function takenReject({ reason, ...reject }: Reject, { id }: TransferRow): Reject {
  return { ...reject, id: takenId(id), reason: `${reason} It is posted, with other content` };
}

function itemOf({ mapped }: WaitingRow): BulkItem {
  return { key: mapped.key, command: mapped.transfer };
}
