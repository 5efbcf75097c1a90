import { decodePosition, encodePosition } from '@holdfast/commands';
import type { Position } from '@holdfast/event-store';
import type { Answer, Journal, JournalEntry } from './journal.js';
import type { JournalingClient } from './journaling-client.js';
import { type Audit, LogAuditor } from './log-audit.js';
import { readModelDigest, rebuiltDigest } from './read-models.js';
import type { Services } from './services.js';

const BULK_COMMANDS_MAX = 500;

/**
 * What the log alone can say after a crash: every acknowledged command is there once, at the position it was given; every other is there once
 * or not at all; nothing is there that nobody asked for; the books balance and no account is below its floor. Faults as sentences, so that a test
 * shows all of them.
 */
export async function checkLog(
  services: Services,
  journal: Journal,
  auditor = new LogAuditor(services.walDirectory, [journal.ledger]),
): Promise<{ readonly audit: Audit; readonly faults: readonly string[] }> {
  // What was acknowledged before the log is read: clients may go on meanwhile.
  const known = journal.entries.map((entry) => ({ entry, answer: entry.answer }));
  await auditor.advance();
  const audit = auditor.of(journal.ledger);
  const faults = [...audit.faults];
  for (const { entry, answer } of known) faults.push(...faultsOf(entry, answer, audit));
  for (const key of audit.commands.keys())
    if (!journal.explains(key)) faults.push(`nobody asked for ${key}`);
  return { audit, faults };
}

/** What was said not to be applied, each time that it was sent, is not there. To be asked while nobody sends. */
export function appliedAfterAll(journal: Journal, { commands }: Audit): readonly string[] {
  return journal.unanswered
    .filter((entry) => entry.unknownOutcomes === 0 && commands.has(entry.key))
    .map(
      ({ key, refusals }) => `${key} was refused ${refusals} times as not applied, and is there`,
    );
}

function faultsOf(entry: JournalEntry, answer: Answer | undefined, audit: Audit): string[] {
  const logged = audit.commands.get(entry.key);
  if (logged === undefined)
    return answer?.position === undefined
      ? []
      : [`${entry.key} was answered ${answer.status} at ${answer.position} and is lost`];
  const faults: string[] = [];
  if (logged.commits !== 1) faults.push(`${entry.key} was applied ${logged.commits} times`);
  if (answer === undefined) return faults;
  const told = decodePosition(answer.position ?? '', audit.logId);
  if (typeof told === 'string' || told.position !== logged.position)
    faults.push(
      `${entry.key} was acknowledged at ${answer.position} and is at ${logged.position} of ${audit.logId}`,
    );
  if (answer.status < 300 !== (logged.type !== 'CommandRejected'))
    faults.push(`${entry.key} was answered ${answer.status} and is ${logged.type}`);
  return faults;
}

/**
 * The money check in full: what the log says; the same answer for every key when it is sent again, by a process that was started since; the trial
 * balance of the read model; and a read model that is rebuilt from nothing equals the one that lived through the crashes.
 */
export async function checkMoney(
  services: Services,
  client: JournalingClient,
  auditor?: LogAuditor,
): Promise<Audit> {
  const { journal } = client;
  await settleAll(client, journal.entries);
  const { audit, faults } = await checkLog(services, journal, auditor);
  if (faults.length > 0) throw new Error(`the books are wrong:\n${faults.slice(0, 20).join('\n')}`);
  if (journal.unanswered.length > 0)
    throw new Error(`${journal.unanswered.length} were not answered`);
  await checkTrialBalance(client, audit);
  await checkRebuild(services, audit);
  return audit;
}

/** Sends them again; the client throws when an answer differs from the first one. What nobody knew is known afterwards. */
export async function settleAll(
  client: JournalingClient,
  entries: readonly JournalEntry[],
): Promise<void> {
  for (let from = 0; from < entries.length; from += BULK_COMMANDS_MAX)
    await client.settle(entries.slice(from, from + BULK_COMMANDS_MAX));
}

interface TrialBalance {
  readonly items: readonly {
    readonly asset: string;
    readonly debits: string;
    readonly credits: string;
  }[];
}

/** The read model shows what the legs add up to. To be asked while nobody sends. */
export async function checkTrialBalance(client: JournalingClient, audit: Audit): Promise<void> {
  const { logId } = audit;
  const token = encodePosition({ logId, position: audit.position as Position, timeline: '' });
  const path = `/v1/ledgers/${client.journal.ledger}/trial-balance?minPosition=${token}`;
  const shown = await client.json<TrialBalance>('GET', path);
  const assets = new Set([...audit.accounts.values()].map((account) => account.asset));
  if (shown.items.length !== assets.size)
    throw new Error(`the trial balance shows ${shown.items.length} assets of ${assets.size}`);
  for (const { asset, debits, credits } of shown.items) {
    const accounts = [...audit.accounts.values()].filter((account) => account.asset === asset);
    const expected = accounts.reduce((sum, account) => sum + account.debits, 0n);
    if (debits !== credits || debits !== String(expected))
      throw new Error(
        `${asset}: the trial balance shows ${debits} and ${credits}, not ${expected}`,
      );
  }
}

/** A read model that is rebuilt from nothing equals the one that lived through it all. To be asked while nobody sends. */
export async function checkRebuild(services: Services, audit: Audit): Promise<void> {
  const [incremental, rebuilt] = [
    await readModelDigest(services.readModelDirectory, audit.position),
    await rebuiltDigest(services, audit.position),
  ];
  if (incremental !== rebuilt)
    throw new Error(`the read model is ${incremental}, rebuilt it is ${rebuilt}`);
}
