import { resolve } from 'node:path';
import { configurationOf } from '@holdfast/config';
import { EventLogReader, Upcasters } from '@holdfast/event-store';
import { ledgerEventSchemas } from '@holdfast/ledger';
import { ledgerOperations, readModelPlace } from '@holdfast/ledger-service';
import { type DerivedStateProof, verifyDerivedState } from '@holdfast/operations';
import { WalReader } from '@holdfast/wal';
import { openArchiveOf } from '@holdfast/wal/maintenance';
import { workHere } from '../admin/work-here.js';
import type { CliExit } from '../exit-code.js';
import { countText, counted } from '../terminal/quantities.js';
import { table } from '../terminal/table.js';
import type { Terminal } from '../terminal/terminal.js';
import { exitOfVerification, unverifiedText, verdictOf } from '../verdict.js';

export interface VerifyStateFlags {
  readonly data?: string;
  readonly json?: boolean;
}

/**
 * Replays the log and compares the checkpointed state and the read model with it. Takes no lock and changes nothing, also while services run. Exit code 1 when
 * anything differs, 2 when something was not there to be compared.
 */
export async function verifyState(flags: VerifyStateFlags, terminal: Terminal): Promise<CliExit> {
  const proof = await prove(flags, terminal);
  if (flags.json === true) await terminal.json(proof, 2);
  else await print(proof, terminal);
  return exitOfVerification(proof.sound, proof.unverified);
}

async function prove(flags: VerifyStateFlags, terminal: Terminal): Promise<DerivedStateProof> {
  const { storage, ...configuration } = configurationOf('cli', {
    ...process.env,
    ...(flags.data !== undefined && { HOLDFAST_DATA_DIRECTORY: resolve(flags.data) }),
  });
  const { walDirectory, archiveDirectory } = storage;
  const readModel = readModelPlace(storage, configuration.readModelPlace);
  const archive = openArchiveOf(walDirectory, archiveDirectory);
  const records = await WalReader.open(walDirectory, { ...(archive && { archive }) });
  try {
    const upcasters = new Upcasters(ledgerEventSchemas);
    const events = await EventLogReader.open(walDirectory, { archiveDirectory, upcasters });
    try {
      return await workHere('Proving', terminal, (context) =>
        verifyDerivedState(
          {
            records,
            events,
            service: ledgerOperations(storage, readModel),
            ...directoriesOf(storage),
          },
          context,
        ),
      );
    } finally {
      await events.close();
    }
  } finally {
    await records.close();
    await archive?.close();
  }
}

function directoriesOf(storage: {
  readonly stateDirectory: string;
  readonly snapshotDirectory: string;
  readonly readModelDirectory: string;
}) {
  const { stateDirectory, snapshotDirectory, readModelDirectory } = storage;
  return { stateDirectory, snapshotDirectory, readModelDirectory };
}

async function print(
  { sound, state, readModel, unverified }: DerivedStateProof,
  terminal: Terminal,
): Promise<void> {
  if (state !== undefined) {
    const { checkpoint, replayed, matches } = state;
    await terminal.line(
      `State: the checkpoint of position ${checkpoint.position} (${counted(checkpoint.entries, 'entry', 'entries')}, digest ${checkpoint.digest}) ${matches ? 'is what' : 'is NOT what'} a replay of ${counted(replayed.events, 'event')}${replayed.from > 0 ? ` from the snapshot of position ${replayed.from} on` : ''} makes${matches ? '' : ` (${counted(replayed.entries, 'entry', 'entries')}, digest ${replayed.digest})`}.`,
    );
  }
  if (readModel !== undefined) {
    const rows = Object.entries(readModel.tables).map(
      ([name, { equal, rows: found, rowsExpected }]) => [
        name,
        countText(found),
        countText(rowsExpected),
        equal ? 'equal' : 'DIFFERENT',
      ],
    );
    await terminal.line(`Read model at position ${readModel.position}:`);
    for (const line of table(['table', 'rows', 'expected', ''], rows)) await terminal.line(line);
  }
  for (const sentence of unverified) await terminal.line(unverifiedText(sentence));
  if (state === undefined && readModel === undefined) {
    await terminal.line('Nothing was compared: this says nothing about the state.');
    return;
  }
  const advice = sound ? '' : ': docs/operations.md says what to do';
  await terminal.line(`${verdictOf(sound, unverified)}${advice}.`);
}
