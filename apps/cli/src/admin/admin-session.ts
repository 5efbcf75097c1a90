import { resolve } from 'node:path';
import { configurationOf } from '@holdfast/config';
import { adminToken } from '@holdfast/administration';
import type { Terminal } from '../terminal/terminal.js';
import { AdminClient } from './admin-client.js';
import { serveLocally } from './serve-locally.js';

export interface AdminFlags {
  /** The admin API of a service that runs. */
  readonly url?: string;
  /** The data directory of a service that does not run. */
  readonly data?: string;
}

interface Session extends AdminFlags {
  /** Of data that has no archive one is made. */
  readonly makesArchive?: boolean;
}

/**
 * The admin API that a command talks to: that of a running service or, given its data directory, one of its own that lasts as long as the command.
 * So both do the same. The writer's lock sees to it that there is one of them only: `WAL_LOCKED` says that a service runs there.
 */
export async function withAdmin<Result>(
  { url, data, makesArchive = false }: Session,
  terminal: Terminal,
  use: (client: AdminClient) => Promise<Result>,
): Promise<Result> {
  const local =
    data === undefined
      ? undefined
      : await serveLocally({ data: resolve(data), makesArchive }, terminal);
  const { admin } = configurationOf('cli');
  const client = new AdminClient(
    local ?? { url: url ?? admin.url, token: adminToken(admin.access) },
  );
  try {
    return await use(client);
  } finally {
    await client.close();
    await local?.stop();
  }
}
