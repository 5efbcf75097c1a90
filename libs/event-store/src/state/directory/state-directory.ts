import type { File } from '@holdfast/wal';
import { makeDurableDirectory } from '../../durable-directory.js';
import { databaseFault } from '../database/state-database.js';
import type { StatePlace } from '../model/state-mark.js';
import type { ResolvedStateOptions } from '../model/state-options.js';
import type { StateSource } from '../model/state-source.js';
import { beginGeneration } from './begin-generation.js';
import {
  LOCK_NAME,
  generationPath,
  generationsIn,
  lockNameOf,
  removeHalfFilled,
  tryLock,
} from './generations.js';
import { type OpenedDatabase, openGeneration } from './open-generation.js';
import { StateRecord, readStateFacts } from './state-record.js';

/**
 * Starts in a row that died before the database was read through once; then it is made anew. More than a deployment that goes wrong twice, and few
 * enough for a service that dies of the damage: it answers nothing wrong meanwhile, and each of these starts is short.
 */
const UNVERIFIED_STARTS_MAX = 5;

/** The database of this start, and what is known of it. */
export interface OpenedState extends OpenedDatabase {
  readonly record: StateRecord;
  /** Why the state is made anew, if it is. */
  readonly rebuilt: string | undefined;
  /** What the record said of unverified starts before this one. */
  readonly unverifiedStarts: number;
  release(): Promise<void>;
}

/**
 * Opens the newest generation of the database, or begins another one. The caller has the log's writer lock. Nothing here trusts the database: it is a
 * cache of the log, without page checksums, and a damaged tree may kill the process; so marks are left on disk before it is touched.
 */
export async function openStateDirectory(
  options: ResolvedStateOptions,
  log: StateSource,
): Promise<OpenedState> {
  const { directory } = options;
  makeDurableDirectory(directory);
  const lock = tryLock(directory, LOCK_NAME);
  const found = readStateFacts(directory);
  const facts = found === 'damaged' ? undefined : found;
  const record = new StateRecord(
    directory,
    facts ?? { generation: 1, opening: false, unverifiedStarts: 0 },
  );
  const unverifiedStarts = facts?.unverifiedStarts ?? 0;
  let own: File | undefined;
  const release = async (): Promise<void> => {
    // First: whoever gets the locks next has the record for itself.
    await record.close();
    own?.close();
    lock?.close();
  };
  try {
    own = tryLock(directory, lockNameOf(record.facts.generation));
    log.assertUnfenced();
    const reason =
      faultOf(directory, record, {
        hasLocks: lock !== undefined && own !== undefined,
        recordDamaged: found === 'damaged',
        logIsEmpty: log.durablePosition === 0,
      }) ?? (await openGeneration(options, log, record));
    if (typeof reason !== 'string')
      return { ...reason, record, rebuilt: undefined, unverifiedStarts, release };
    options.onEvent({ kind: 'rebuilding', reason });
    own?.close();
    own = undefined;
    if (facts !== undefined) removeHalfFilled(directory, facts.generation, log);
    // One that somebody else is beginning just now is taken too.
    let generation = Math.max(record.facts.generation, ...generationsIn(directory));
    do own = tryLock(directory, lockNameOf(++generation));
    while (own === undefined);
    const opened = await beginGeneration(generation, options, log, record).catch(
      async (error: unknown) => {
        // Refused, with everything as it was: nothing was opened that this process did not survive.
        if (facts !== undefined && record.facts.generation === facts.generation)
          await record.change(facts).catch(() => undefined);
        throw error;
      },
    );
    return { ...opened, record, rebuilt: reason, unverifiedStarts: 0, release };
  } catch (error) {
    await release();
    throw error;
  }
}

/** Where the log must at least reach, by what the record says; undefined when the state will be made anew anyway. */
export function expectedPlace(directory: string): StatePlace | undefined {
  const facts = readStateFacts(directory);
  if (facts === undefined || facts === 'damaged' || facts.checkpoint === undefined)
    return undefined;
  const fault = faultOf(directory, new StateRecord(directory, facts), {
    hasLocks: true,
    recordDamaged: false,
    logIsEmpty: false,
  });
  return fault === undefined ? facts.checkpoint : undefined;
}

/** The database that another process may be using just now. */
export function currentDatabaseDirectory(directory: string): string | undefined {
  const facts = readStateFacts(directory);
  if (facts === undefined || facts === 'damaged') return undefined;
  return generationPath(directory, facts.generation);
}

/** Why the generation that the record names must not be opened. */
function faultOf(
  directory: string,
  { facts }: StateRecord,
  circumstances: {
    readonly hasLocks: boolean;
    readonly recordDamaged: boolean;
    readonly logIsEmpty: boolean;
  },
): string | undefined {
  // Whoever the log was taken over from may be stopped in the middle of a transaction, or have one yet to begin.
  if (!circumstances.hasLocks) return 'another process still holds the state';
  if (circumstances.recordDamaged) return 'its record is damaged';
  if (facts.rebuild !== undefined) return facts.rebuild;
  if (facts.opening) return 'the last start died while it opened the database';
  if (facts.unverifiedStarts >= UNVERIFIED_STARTS_MAX)
    return `${facts.unverifiedStarts} starts died before the database was read through once`;
  if (facts.checkpoint === undefined)
    return circumstances.logIsEmpty ? undefined : 'no checkpoint has been made yet';
  const fault = databaseFault(generationPath(directory, facts.generation));
  return fault === undefined ? undefined : `the database cannot be opened: ${fault}`;
}
