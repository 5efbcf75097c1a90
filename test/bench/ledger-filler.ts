/**
 * `ledger-filler.js <data directory> [<entries of a checkpoint>]`: the write side of a ledger as a process of its own, told by its parent what to fill in. It keeps its state as the
 * command service does, and knows no HTTP.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { type LedgerCommand } from '@holdfast/ledger';
import { LedgerWriter } from '@holdfast/ledger-service';
import { assert, defined } from '@holdfast/kernel';
import { SeededRandom } from '@holdfast/wal/testing';
import type { FillerJob, FillerReport, Memory } from './filler.js';
import { type Turns, turnsWhile } from './turns.js';

const data = process.argv[2] ?? '';
/** 0: as by default. */
const checkpointEntries = Number(process.argv[3] ?? 0);
const LEDGER = 'main';
/** With more entries than this in memory only, the next group waits until checkpoints have caught up, as a client that is told to come back later does. */
const OVERLAY_ENTRIES_MAX = Math.max(100_000, 2 * checkpointEntries);
/** Commands between two looks at the disk: what a bulk request holds. */
const GROUP_COMMANDS = 1_000;
/** In a commit beside which the event loop is measured. */
const LOADED_COMMANDS = 10;
/** At least as long as a checkpoint takes. */
const UNDISTURBED_MILLIS = 1_000;
const RETRY_MILLIS = 5;
const GIVING_BACK_MILLIS = 200;
const NEVER_SECONDS = 86_400;

const writer = await LedgerWriter.open(join(data, 'wal'), {
  wal: { create: true },
  state: {
    directory: join(data, 'state'),
    snapshotDirectory: join(data, 'snapshots'),
    checkpointMillis: NEVER_SECONDS * 1_000,
    snapshotMillis: 0,
    ...(checkpointEntries > 0 && { checkpointEntries }),
  },
});
const random = new SeededRandom(1);
let nextKey = writer.log.lastPosition;
let asked = 0;

process.on(
  'message',
  (job: FillerJob) => void perform(job).then((report) => process.send?.(report)),
);
process.on('disconnect', () => process.exit());

async function perform(job: FillerJob): Promise<FillerReport> {
  const startedAt = performance.now();
  const turns = await work(job);
  const millis = performance.now() - startedAt;
  const { checkpoint } = writer.log.stateStatus() ?? {};
  return {
    millis,
    position: writer.log.lastPosition,
    entries: checkpoint?.entries ?? 0,
    ...(job.kind === 'checkpoint' && { memory: await memory() }),
    ...(turns !== undefined && { turns }),
  };
}

async function work(job: FillerJob): Promise<Turns | undefined> {
  switch (job.kind) {
    case 'open':
      await execute([
        { type: 'OpenLedger', ledger: LEDGER },
        { type: 'RegisterAsset', ledger: LEDGER, asset: 'EUR', scale: 2 },
      ]);
      break;
    case 'accounts':
      for (let at = job.from; at < job.to; at += GROUP_COMMANDS)
        await execute(range(at, Math.min(at + GROUP_COMMANDS, job.to)).map(account));
      break;
    case 'transfers':
      for (let at = 0; at < job.count; at += GROUP_COMMANDS)
        await transfers(job.accounts, Math.min(GROUP_COMMANDS, job.count - at));
      break;
    case 'checkpoint':
      await writer.log.checkpoint();
      break;
    case 'turns':
      while (overlayEntries() < job.changedEntries) await transfers(job.accounts, LOADED_COMMANDS);
      // What was made on the way is no part of what is measured.
      globalThis.gc?.();
      return turnsWhile(measured(job));
  }
  return undefined;
}

/** What the event loop's turns are measured beside. */
async function measured(job: FillerJob & { kind: 'turns' }): Promise<void> {
  const { log } = writer;
  const under = { way: true };
  const pending = job.isCheckpointing ? log.checkpoint() : setTimeout(UNDISTURBED_MILLIS);
  const ended = pending.finally(() => (under.way = false));
  while (job.isLoaded && under.way) await transfers(job.accounts, LOADED_COMMANDS);
  await ended;
}

async function transfers(accounts: number, count: number): Promise<void> {
  await execute(range(0, count).map(() => transfer(accounts)));
}

async function execute(commands: readonly LedgerCommand[]): Promise<void> {
  while (overlayEntries() > OVERLAY_ENTRIES_MAX) await setTimeout(RETRY_MILLIS);
  const pending = commands.map((command) => {
    const key = `key-${nextKey++}`;
    return writer.admit(command, {
      actor: 'bench',
      idempotency: { key, bodyHash: `hash-of-${key}` },
    });
  });
  const last = defined(pending.at(-1), 'a command');
  const outcome = await writer.settle(last);
  asked += commands.length;
  const counts = [...writer.decisions().values()].map((labels) => labels.get('accepted') ?? 0);
  const accepted = counts.reduce((sum, count) => sum + count, 0);
  assert(accepted === asked, `${asked} commands are accepted, not ${JSON.stringify(outcome)}`);
  // As between two requests.
  await setImmediate();
}

function overlayEntries(): number {
  return defined(writer.log.stateStatus(), 'checkpointed state').overlayEntries;
}

function account(index: number): LedgerCommand {
  return {
    type: 'OpenAccount',
    ledger: LEDGER,
    accountId: `account-${index}`,
    asset: 'EUR',
    normalSide: 'credit',
    floor: null,
  };
}

function transfer(accounts: number): LedgerCommand {
  const from = random.below(accounts);
  const to = (from + 1 + random.below(accounts - 1)) % accounts;
  return {
    type: 'PostTransfer',
    ledger: LEDGER,
    legs: [
      { accountId: `account-${from}`, side: 'debit', amount: '1250' },
      { accountId: `account-${to}`, side: 'credit', amount: '1250' },
    ],
  };
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, at) => from + at);
}

/** Pages of the database that the kernel keeps for the process are counted apart: they are the kernel's to take back. */
async function memory(): Promise<Memory> {
  const held = residentBytes('RssAnon');
  await globalThis.gc?.({ execution: 'async', flavor: 'last-resort', type: 'major' });
  // Pages go back to the system in threads of V8's own.
  await setTimeout(GIVING_BACK_MILLIS);
  return { held, own: residentBytes('RssAnon'), mapped: residentBytes('RssFile') };
}

function residentBytes(kind: 'RssAnon' | 'RssFile'): number {
  const status = readFileSync('/proc/self/status', 'utf8');
  return Number(new RegExp(`${kind}:\\s+([0-9]+) kB`).exec(status)?.[1] ?? 0) * 1024;
}
