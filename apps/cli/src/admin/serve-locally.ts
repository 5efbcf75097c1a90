import { randomBytes } from 'node:crypto';
import { configurationOf } from '@holdfast/config';
import { startAdmin } from '@holdfast/administration';
import { ledgerOperations, openLedgerWriter, readModelPlace } from '@holdfast/ledger-service';
import { LogOperations } from '@holdfast/operations';
import { ServiceLifecycle, createLogger } from '@holdfast/platform';
import { FeedConsumers } from '@holdfast/projections';
import type { Terminal } from '../terminal/terminal.js';
import type { AdminClientOptions } from './admin-client.js';

export interface LocalAdmin extends AdminClientOptions {
  stop(): Promise<void>;
}

const STOP_MILLIS_MAX = 10_000;

/**
 * Opens the log of a data directory as a service would, and serves its admin API to this process alone: on a free port of this machine, under a token
 * that nobody else knows. Throws what opening a log throws: `WAL_LOCKED` where a service runs.
 */
export async function serveLocally(
  { data, makesArchive }: { readonly data: string; readonly makesArchive: boolean },
  terminal: Terminal,
): Promise<LocalAdmin> {
  const environment = { ...process.env, HOLDFAST_DATA_DIRECTORY: data };
  // An archive may be made where a service would make it.
  const createArchive = configurationOf('cli', environment).wal.create;
  const { storage, wal, state, clock, floors, retention, ...configuration } = configurationOf(
    'cli',
    {
      ...environment,
      // What is not there is a mistyped path, and not a log to be made.
      HOLDFAST_WAL_CREATE: 'false',
    },
  );
  const place = readModelPlace(storage, configuration.readModelPlace);
  const logger = createLogger({
    service: 'cli',
    level: 'warn',
    destination: { write: (line) => terminal.note(noteOf(line)) },
  });
  const lifecycle = new ServiceLifecycle();
  const archives = makesArchive || retention.policy === 'archive';
  const options = { storage, wal, state, clock, archives, createArchive, logger, lifecycle };
  const writer = await openLedgerWriter(options);
  try {
    const consumers = new FeedConsumers();
    const operations = new LogOperations({
      ...{ log: writer.log, consumers, logger, floors, retention },
    });
    const token = randomBytes(32).toString('base64url');
    const admin = { host: '127.0.0.1', port: 0, access: { token, tokenFile: '' } };
    const application = await startAdmin({
      ...{ service: ledgerOperations(storage, place), operations, logger, lifecycle, admin },
      directories: storage,
    });
    return {
      url: await application.nest.getUrl(),
      token,
      stop: async () => {
        await application.stop(STOP_MILLIS_MAX);
        await writer.close();
      },
    };
  } catch (error) {
    await writer.close();
    throw error;
  }
}

/** What a service would write to its log, as a sentence for a person. */
function noteOf(line: string): string {
  const { msg, err } = JSON.parse(line) as { msg: string; err?: { message: string } };
  return err === undefined ? msg : `${msg}: ${err.message}`;
}
