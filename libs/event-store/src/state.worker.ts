import { registerHooks } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import type { StateMark, UncountedMark } from './state-mark.js';
import type { ScanResult } from './state-scan.js';
import type { TreeSeal } from './state-tree.js';

/**
 * A thread that works on the database: one writes checkpoints, another reads through all of it. It imports only files that Node can run
 * as they stand, so that it starts compiled and not.
 */
export type StateJob =
  | {
      readonly kind: 'checkpoint';
      readonly changes: readonly Uint8Array[];
      readonly mark: UncountedMark;
    }
  | { readonly kind: 'load'; readonly path: string }
  | { readonly kind: 'verify-snapshot'; readonly path: string }
  | { readonly kind: 'scan'; readonly bytesPerSecond: number }
  | {
      readonly kind: 'snapshot';
      readonly directory: string;
      readonly bytesPerSecond: number;
    }
  | { readonly kind: 'close' };

export interface StateThreadData {
  /** The directory of the database. */
  readonly directory: string;
}

export interface WrittenSnapshot {
  readonly path: string;
  readonly bytes: number;
  readonly mark: StateMark;
}

export type StateAnswer =
  | { readonly mark: StateMark; readonly tree?: TreeSeal }
  | { readonly scan: ScanResult }
  | { readonly snapshot: WrittenSnapshot }
  | { readonly closed: true }
  | { readonly error: { readonly message: string; readonly code?: string } };

/** Asks a running scan or snapshot to end early. */
export const STOP_SCAN = 'stop-scan';

// Under a test runner the sources are run as they are, and their imports still name what they are compiled to.
if (import.meta.url.endsWith('.ts')) {
  registerHooks({
    resolve: (specifier, context, next) => {
      const isOurs = specifier.startsWith('./') && context.parentURL?.endsWith('.ts') === true;
      return next(isOurs ? specifier.replace(/\.js$/, '.ts') : specifier, context);
    },
  });
}
const { databaseFile, openStateDatabase } = await import('./state-database.js');
const { loadSnapshot, writeCheckpoint } = await import('./state-writer.js');
const { scanState } = await import('./state-scan.js');
const { sealOf } = await import('./state-tree.js');
const { SnapshotWriter, verifySnapshot } = await import('./snapshot-file.js');

const { directory } = workerData as StateThreadData;
const database = openStateDatabase(directory);
let stopped = false;

parentPort?.on('message', (message: { id: number; job: StateJob } | typeof STOP_SCAN) => {
  if (message === STOP_SCAN) {
    stopped = true;
    return;
  }
  const { id, job } = message;
  void run(job).then((answer) => parentPort?.postMessage({ id, answer }));
});

async function run(job: StateJob): Promise<StateAnswer> {
  try {
    return await answerTo(job);
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    return { error: code === undefined ? { message } : { message, code: code } };
  }
}

async function answerTo(job: StateJob): Promise<StateAnswer> {
  switch (job.kind) {
    case 'checkpoint':
      return sealed(writeCheckpoint(database, directory, job.changes, job.mark));
    case 'load':
      return sealed(loadSnapshot(database, directory, job.path));
    case 'verify-snapshot':
      return { mark: verifySnapshot(job.path) };
    case 'scan':
      return { scan: await scanState(database, scanOptions(job.bytesPerSecond)) };
    case 'snapshot':
      return { snapshot: await writeSnapshot(job.directory, job.bytesPerSecond) };
    case 'close':
      await database.close();
      return { closed: true };
  }
}

/** With the seal of what was just committed; nobody else commits. */
function sealed(mark: StateMark): StateAnswer {
  const tree = sealOf(databaseFile(directory));
  if (typeof tree === 'string') throw new Error(`what was written is damaged: ${tree}`);
  return { mark, tree };
}

function scanOptions(bytesPerSecond: number): { bytesPerSecond: number; stopped: () => boolean } {
  stopped = false;
  return { bytesPerSecond, stopped: () => stopped };
}

/** Of the checkpoint that the database holds when it begins; it is verified on the way. */
async function writeSnapshot(target: string, bytesPerSecond: number): Promise<WrittenSnapshot> {
  const temporary = `${target}/snapshot.tmp`;
  let writer: InstanceType<typeof SnapshotWriter> | undefined;
  try {
    const scan = await scanState(database, scanOptions(bytesPerSecond), {
      begin: (mark) => (writer = new SnapshotWriter(temporary, mark)),
      entry: (image) => writer?.add(image),
    });
    if (scan.kind !== 'whole' || writer === undefined)
      throw Object.assign(
        new Error(scan.kind === 'damaged' ? scan.reason : `the state is ${scan.kind}`),
        {
          code: scan.kind === 'damaged' ? 'DAMAGED' : 'UNAVAILABLE',
        },
      );
    const path = `${target}/${scan.mark.position}.snapshot`;
    writer.finish(path);
    return { path, bytes: writer.bytes, mark: scan.mark };
  } catch (error) {
    writer?.abandon();
    throw error;
  }
}
