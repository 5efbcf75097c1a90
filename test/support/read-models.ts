import { errorCode } from '@holdfast/kernel';
import { ledgerProjection } from '@holdfast/ledger-service';
import { SqliteReadModelStore } from '@holdfast/projections';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { freePorts } from './free-ports.js';
import type { Services } from './services.js';

const CATCH_UP_MILLIS_MAX = 300_000;
const POLL_MILLIS = 50;

/** The digest of the live read model once it has come to `position`. Equal if and only if every row of every table is. */
export async function readModelDigest(directory: string, position: number): Promise<string> {
  const givingUpAt = performance.now() + CATCH_UP_MILLIS_MAX;
  for (;;) {
    const store = SqliteReadModelStore.open({ directory, projection: ledgerProjection });
    try {
      // While it is filled for the first time there is none to be asked.
      const digest = await store.digest().catch(undefinedIfNotReady);
      const reached = digest?.cursor?.position ?? 0;
      if (digest !== undefined && reached >= position) return digest.sha256;
      if (performance.now() > givingUpAt)
        throw new Error(`the read model is at ${reached}, not at ${position}`);
    } finally {
      await store.close();
    }
    await setTimeout(POLL_MILLIS);
  }
}

/** The digest of a read model that a second worker makes from nothing, over the gRPC feed. */
export async function rebuiltDigest(services: Services, position: number): Promise<string> {
  const [port] = await freePorts(1);
  const directory = join(services.directory, 'rebuilt');
  await services.start(
    'projection-worker',
    {
      HOLDFAST_DATA_DIRECTORY: directory,
      HOLDFAST_PROJECTION_HTTP_PORT: String(port),
      HOLDFAST_FEED_KIND: 'grpc',
    },
    'rebuilding worker',
  );
  try {
    return await readModelDigest(join(directory, 'read-models'), position);
  } finally {
    await services.end('rebuilding worker', 'SIGTERM');
    rmSync(directory, { recursive: true, force: true });
  }
}

function undefinedIfNotReady(error: unknown): undefined {
  if (errorCode(error) !== 'READ_MODEL_NOT_READY') throw error;
}
