import { registerHooks } from 'node:module';
import { parentPort } from 'node:worker_threads';
import type { SnapshotProgress, WrittenSnapshot } from '../snapshot/snapshot-work.js';
import type { StateDatabase } from '../database/state-database.js';
import type { StateMark, UncountedMark } from '../model/state-mark.js';
import type { ScanOptions, ScanResult } from '../database/state-scan.js';
import type { TreeSeal } from '../pages/state-seal.js';

/**
 * A thread that works on the database: one writes checkpoints, another reads through all of it. It imports only files that Node can run
 * as they stand, so that it starts compiled and not.
 */
export type StateJob =
  | {
      readonly kind: 'checkpoint';
      readonly changes: readonly Uint8Array<ArrayBuffer>[];
      readonly mark: UncountedMark;
      /** It was read through since the start. */
      readonly isTrusted: boolean;
    }
  | {
      readonly kind: 'load';
      readonly path: string;
      /** What the state is called from now on. */
      readonly stateVersion: string;
      readonly leaveOut: readonly string[];
    }
  | { readonly kind: 'verify-snapshot'; readonly path: string; readonly bytesPerSecond: number }
  | {
      readonly kind: 'scan';
      readonly bytesPerSecond: number;
      /** The list of free pages too, while nobody writes. */
      readonly freePages?: boolean;
    }
  | {
      readonly kind: 'snapshot';
      /** Of an empty file. */
      readonly path: string;
      readonly bytesPerSecond: number;
    }
  | { readonly kind: 'close' };

export type StateAnswer =
  | { readonly mark: StateMark; readonly tree?: TreeSeal }
  | { readonly scan: ScanResult }
  | { readonly snapshot: WrittenSnapshot }
  | { readonly closed: true }
  | { readonly error: { readonly message: string; readonly code?: string } };

/** What the thread is told: whose database it works on, before everything else and after each `close`; a job to do; that one which reads for long should rest no more, or end early. */
export type StateOrder =
  | { readonly open: string }
  | { readonly id: number; readonly job: StateJob }
  | { readonly hurry: number }
  | { readonly stop: number };

/** What it tells: how far a job has come, and what has come of it. */
export type StateWord =
  /** Once an `open`, before everything else: it can work. */
  | { readonly ready: true }
  | { readonly id: number; readonly progress: SnapshotProgress }
  | { readonly id: number; readonly answer: StateAnswer };

// Under a test runner the sources are run as they are, and their imports still name what they are compiled to.
if (import.meta.url.endsWith('.ts')) {
  registerHooks({
    resolve: (specifier, context, next) => {
      const isOurs = /^\.\.?\//.test(specifier) && context.parentURL?.endsWith('.ts') === true;
      return next(isOurs ? specifier.replace(/\.js$/, '.ts') : specifier, context);
    },
  });
}
const { databaseFile, openStateDatabase, readMark } = await import('../database/state-database.js');
const { loadSnapshot, writeCheckpoint } = await import('./state-writer.js');
const { scanState } = await import('../database/state-scan.js');
const { faultOfFreePages, sealOf } = await import('../pages/state-seal.js');
const { stateFault } = await import('../model/state-fault.js');
const { Fault } = await import('../pages/state-pages.js');
const { readBack, writeSnapshot } = await import('../snapshot/snapshot-work.js');

let directory: string;
let database: StateDatabase;
/** The jobs that run; those in `stopped` were asked to end, those in `hurried` to rest no more. Jobs that read for long rest between slices, and others run meanwhile. */
const running = new Set<number>();
const stopped = new Set<number>();
const hurried = new Set<number>();
/** Every page of the database was written by this process. */
let isOwn = false;

parentPort?.on('message', (order: StateOrder) => {
  if ('open' in order) {
    directory = order.open;
    // What this throws ends the thread.
    database = openStateDatabase(directory);
    isOwn = false;
    say({ ready: true });
    return;
  }
  if ('stop' in order) {
    // One that has ended meanwhile cannot be stopped any more.
    if (running.has(order.stop)) stopped.add(order.stop);
    return;
  }
  if ('hurry' in order) {
    if (running.has(order.hurry)) hurried.add(order.hurry);
    return;
  }
  const { id, job } = order;
  running.add(id);
  void run(id, job).then((answer) => {
    running.delete(id);
    stopped.delete(id);
    hurried.delete(id);
    say({ id, answer });
  });
});

function say(word: StateWord): void {
  parentPort?.postMessage(word);
}

async function run(id: number, job: StateJob): Promise<StateAnswer> {
  try {
    return await answerTo(id, job);
  } catch (error) {
    const { message, code } = stateFault(error, directory);
    return { error: code === undefined ? { message } : { message, code } };
  }
}

async function answerTo(id: number, job: StateJob): Promise<StateAnswer> {
  const at = (bytesPerSecond: number): ScanOptions => ({
    bytesPerSecond,
    stopped: () => stopped.has(id),
    hurried: () => hurried.has(id),
  });
  switch (job.kind) {
    case 'checkpoint': {
      const mark = writeCheckpoint(database, directory, job.changes, job.mark, isTrusted(job));
      release(job.changes);
      return sealed(mark);
    }
    case 'load':
      return sealed(loadSnapshot(database, directory, job));
    case 'verify-snapshot':
      return { mark: await readBack(job.path, at(job.bytesPerSecond)) };
    case 'scan':
      return { scan: await scan(at(job.bytesPerSecond), job.freePages === true) };
    case 'snapshot': {
      const told = (progress: SnapshotProgress): void => say({ id, progress });
      const options = at(job.bytesPerSecond);
      return { snapshot: await writeSnapshot(database, job.path, options, told) };
    }
    case 'close':
      await database.close();
      return { closed: true };
  }
}

/** Gives the memory back at once: this thread makes little garbage of its own, and would collect what it was handed only after many checkpoints. */
function release(chunks: readonly Uint8Array<ArrayBuffer>[]): void {
  for (const { buffer } of chunks) buffer.transfer(0);
}

/** What was empty at first is as trustworthy as memory: a state that is made anew is not verified on the way. */
function isTrusted(job: { readonly isTrusted: boolean }): boolean {
  isOwn ||= readMark(database) === undefined;
  return isOwn || job.isTrusted;
}

/** With the seal of what was just committed; nobody else commits. */
function sealed(mark: StateMark): StateAnswer {
  const tree = sealOf(databaseFile(directory));
  if (typeof tree === 'string') throw new Fault(`what was written is damaged: ${tree}`);
  return { mark, tree };
}

async function scan(options: ScanOptions, freePages: boolean): Promise<ScanResult> {
  const result = await scanState(database, options);
  const reason =
    freePages && result.kind === 'whole' ? faultOfFreePages(databaseFile(directory)) : undefined;
  return reason === undefined ? result : { kind: 'damaged', reason };
}
