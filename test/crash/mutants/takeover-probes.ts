import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { errorCode } from '@holdfast/kernel';
import { LOG, type SimulatedFileSystem } from '@holdfast/wal/testing';
import { open as openDatabase } from 'lmdb';
import { databaseIn } from '../state/database-damage.js';
import { countedCommit } from '../state/expected-state.js';
import { openService, removeServices, SimulatedService } from '../state/simulated-service.js';

/** Of a state whose log another writer takes, and of one that somebody reads while it changes. */
export const TAKEOVER_PROBES: Readonly<Record<string, () => Promise<void>>> = Object.fromEntries(
  Object.entries({
    'a state whose log was taken over': takenOver,
    'a writer that is fenced while it makes a checkpoint': fencedInCheckpoint,
    'a writer that is fenced while it makes a snapshot': fencedInSnapshot,
    'a state that is read while it changes': readWhileItChanges,
  }).map(([name, probe]) => [name, () => probe().finally(removeServices)]),
);

const COMMITS = 40;
/** Far more than it takes to hold more pages than the bound. */
const CHECKPOINTS_MAX = 20;
const OVERLAY_ENTRIES_MAX = 400;

/** The second hangs as well once the first has gone: the third must not open the database that the second has. */
async function takenOver(): Promise<void> {
  const first = await SimulatedService.open();
  await first.append(COMMITS);
  const { directory } = first;
  const take = (): ReturnType<typeof openService> =>
    openService(first.system.sibling(), directory, {
      wal: { takeover: true },
      state: { onEvent: (event) => event.kind === 'rebuilding' && reasons.push(event.reason) },
    });
  const reasons: string[] = [];
  const second = await take();
  await second.checkpoint();
  await first.log.close();
  reasons.length = 0;
  const third = await take();
  await third.close();
  await second.close();
  if (reasons.length === 0) throw new Error('a database that another process has was opened');
}

/** Fenced after it has waited for readings and encoded what it writes. */
async function fencedInCheckpoint(): Promise<void> {
  let isArmed = false;
  const service = await SimulatedService.open((event) => {
    if (isArmed && event.kind === 'checkpoint-step' && event.step === 'encoded')
      fence(service.system);
  });
  await service.append(COMMITS);
  await service.checkpoint();
  const before = readFileSync(databaseIn(service.directory));
  await service.append(COMMITS);
  isArmed = true;
  await assertFenced(service.checkpoint());
  await service.log.close();
  if (!readFileSync(databaseIn(service.directory)).equals(before))
    throw new Error('the state of another writer was written');
}

async function fencedInSnapshot(): Promise<void> {
  const service = await SimulatedService.open();
  await service.append(COMMITS);
  await service.checkpoint();
  await assertFenced(service.log.snapshot({ onProgress: () => fence(service.system) }));
  await service.log.close();
  const [named] = readdirSync(join(service.directory, 'snapshots'));
  if (named !== undefined) throw new Error(`a fenced writer has left ${named}`);
}

/** Checkpoints cannot wait, and a reading that has no end holds more pages than may be: it is given up. */
async function readWhileItChanges(): Promise<void> {
  const first = await SimulatedService.open();
  await first.append(COMMITS);
  const { directory } = first;
  await first.close();
  const log = await openService(first.system, directory, {
    state: { pinnedBytesMax: 1, overlayEntriesMax: OVERLAY_ENTRIES_MAX },
  });
  let number = first.commits.length;
  const overlayEntries = (): number => log.stateStatus()?.overlayEntries ?? 0;
  const isGivenUp = (): boolean => (log.stateStatus()?.verification.givenUp ?? 0) > 0;
  const database = openDatabase({ path: dirname(databaseIn(directory)), readOnly: true });
  const reading = database.useReadTransaction();
  try {
    for (let made = 0; made < CHECKPOINTS_MAX && !isGivenUp(); made++) {
      while (overlayEntries() <= OVERLAY_ENTRIES_MAX / 2)
        await log.appendDurably(countedCommit(number++));
      await log.checkpoint();
    }
    if (!isGivenUp()) throw new Error('a reading holds pages without a bound');
  } finally {
    reading.done();
    await database.close();
    await log.close();
  }
}

function fence(system: SimulatedFileSystem): void {
  for (const name of system.list(LOG))
    if (name.startsWith('claim-')) system.unlink(`${LOG}/${name}`);
}

async function assertFenced(work: Promise<unknown>): Promise<void> {
  const code = await work.then(
    () => 'nothing',
    (error: unknown) => errorCode(error) ?? String(error),
  );
  if (code !== 'WAL_FENCED') throw new Error(`WAL_FENCED was expected, and it was ${code}`);
}
