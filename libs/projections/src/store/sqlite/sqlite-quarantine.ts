import type { Position, RecordedEvent } from '@holdfast/event-store';
import { defined } from '@holdfast/kernel';
import type {
  GenerationQuarantine,
  LeasedQuarantine,
  QuarantineChange,
  QuarantinedCommit,
  QuarantineOrders,
  SkipDecision,
  StoredQuarantine,
} from '../../quarantined-commit.js';
import { isOrdered, isSkippable } from '../generations/quarantine-order.js';
import type { SqliteCatalog } from './sqlite-catalog.js';
import { SqliteConnection } from './sqlite-connection.js';

/** In the file of the generation, so that a commit comes and goes in the transaction that moves the position, or applies it. */
const TABLE = `
  CREATE TABLE IF NOT EXISTS holdfast_quarantine (
    position INTEGER PRIMARY KEY,
    event_id TEXT NOT NULL,
    events INTEGER NOT NULL,
    keys TEXT NOT NULL,
    content TEXT NOT NULL,
    attempts INTEGER NOT NULL,
    error TEXT,
    since INTEGER NOT NULL,
    skipped INTEGER NOT NULL
  ) STRICT
`;
const HAS_TABLE = `SELECT 1 FROM sqlite_schema WHERE name = 'holdfast_quarantine'`;
const COLUMNS = 'position, event_id, events, keys, attempts, error, since, skipped';
const CONTENT = 'SELECT content FROM holdfast_quarantine WHERE position = ?';
const SUM = 'SELECT coalesce(sum(events), 0) AS events FROM holdfast_quarantine WHERE skipped = 0';

interface Row {
  readonly position: number;
  readonly event_id: string;
  readonly events: number;
  readonly keys: string;
  readonly attempts: number;
  readonly error: string | null;
  readonly since: number;
  readonly skipped: number;
}

/** Files of an older program get it from the first worker of this one. */
export function prepareQuarantine({ database }: SqliteConnection): void {
  database.exec(TABLE);
}

/** Within the transaction of a lease. */
export function changeQuarantine(
  connection: SqliteConnection,
  changes: readonly QuarantineChange[],
  nowMillis: number,
): void {
  for (const change of changes)
    switch (change.kind) {
      case 'put':
        put(connection, change, nowMillis);
        break;
      case 'applied':
        connection
          .prepare('DELETE FROM holdfast_quarantine WHERE position = ?')
          .run(change.position);
        break;
      case 'skipped':
        connection
          .prepare('UPDATE holdfast_quarantine SET skipped = 1 WHERE position = ?')
          .run(change.position);
        break;
      case 'refused':
        connection
          .prepare(
            'UPDATE holdfast_quarantine SET attempts = attempts + 1, error = ? WHERE position = ?',
          )
          .run(change.error, change.position);
    }
}

function put(
  connection: SqliteConnection,
  { content, keys, attempts, error, skipped }: Extract<QuarantineChange, { kind: 'put' }>,
  nowMillis: number,
): void {
  const [{ position, id }] = content;
  connection
    .prepare(
      `INSERT INTO holdfast_quarantine (${COLUMNS}, content) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
    )
    .run(
      ...[position, id, content.length, JSON.stringify(keys), attempts, error ?? null],
      ...[nowMillis, skipped === true ? 1 : 0, JSON.stringify(content)],
    );
}

/** Of the tables at a path. 0 where there are none, or none that can be read now. */
export function quarantinedEventsAt(path: string): number {
  try {
    const look = (file: SqliteConnection): number =>
      file.prepare<[], { readonly events: number }>(SUM).get()?.events ?? 0;
    return SqliteConnection.reading(path, hasQuarantine, look) ?? 0;
  } catch {
    return 0;
  }
}

export class SqliteLeasedQuarantine implements LeasedQuarantine {
  constructor(
    private readonly connection: SqliteConnection,
    private readonly catalog: SqliteCatalog,
    private readonly generation: number,
  ) {}

  waiting(): Promise<readonly QuarantinedCommit[]> {
    const all = this.connection.read(() => commitsIn(this.connection));
    return Promise.resolve(all.filter(({ skipped }) => !skipped));
  }

  contentOf(position: Position): Promise<readonly RecordedEvent[]> {
    const content = this.connection.read(() => contentIn(this.connection, position));
    return Promise.resolve(defined(content, 'the events of a commit in the quarantine'));
  }

  orders(): Promise<QuarantineOrders> {
    const { orders } = this.catalog;
    return Promise.resolve({ releases: orders.releasesOf(this.generation), skips: orders.skips() });
  }

  obeyed(releases: QuarantineOrders['releases']): Promise<void> {
    this.catalog.orders.obeyed(releases.map(({ id }) => id));
    return Promise.resolve();
  }
}

/** Reads the files of all generations, and writes into the catalog alone: no file has two writers. */
export class SqliteStoredQuarantine implements StoredQuarantine {
  /** `found`: the catalog, where there is one. */
  constructor(
    private readonly found: () => SqliteCatalog | undefined,
    private readonly nowMillis: () => number,
  ) {}

  list(): Promise<readonly GenerationQuarantine[]> {
    const catalog = this.found();
    const all = catalog?.generations().map(({ id: generation, version, state }) => {
      const path = catalog.pathOf(generation);
      const commits = SqliteConnection.reading(path, hasQuarantine, commitsIn) ?? [];
      const releasesPending = catalog.orders.releasesOf(generation).length;
      return { generation, version, state, commits, releasesPending };
    });
    return Promise.resolve(all ?? []);
  }

  contentOf(generation: number, position: Position): Promise<readonly RecordedEvent[] | undefined> {
    const catalog = this.found();
    if (catalog?.stateOf(generation) === undefined) return Promise.resolve(undefined);
    const look = (file: SqliteConnection) => contentIn(file, position);
    return Promise.resolve(
      SqliteConnection.reading(catalog.pathOf(generation), hasQuarantine, look),
    );
  }

  async release(position: Position | undefined): Promise<number> {
    const asked = (await this.list()).filter(({ commits }) => isOrdered(commits, position));
    for (const { generation } of asked) this.found()?.orders.release(generation, position);
    return asked.length;
  }

  async skip(
    position: Position,
    { by, reason }: { readonly by: string; readonly reason: string },
  ): Promise<boolean> {
    let isDecided = false;
    for (const { generation, commits } of await this.list()) {
      const commit = commits.find((one) => isSkippable(one, position));
      const content = commit && (await this.contentOf(generation, position));
      if (commit === undefined || content === undefined) continue;
      const { eventId, events, error } = commit;
      const decision = { position, eventId, events, error, by, reason, content };
      this.found()?.orders.skip({ ...decision, atMillis: this.nowMillis() });
      isDecided = true;
    }
    return isDecided;
  }

  skips(): Promise<readonly SkipDecision[]> {
    return Promise.resolve(this.found()?.orders.decisions() ?? []);
  }
}

function hasQuarantine(file: SqliteConnection): boolean {
  return file.prepare(HAS_TABLE).get() !== undefined;
}

function commitsIn(file: SqliteConnection): readonly QuarantinedCommit[] {
  const sql = `SELECT ${COLUMNS} FROM holdfast_quarantine ORDER BY position`;
  return file.prepare<[], Row>(sql).all().map(commitOf);
}

function contentIn(file: SqliteConnection, position: Position): RecordedEvent[] | undefined {
  const row = file.prepare<[number], { readonly content: string }>(CONTENT).get(position);
  return row && (JSON.parse(row.content) as RecordedEvent[]);
}

function commitOf({ event_id: eventId, since: sinceMillis, ...row }: Row): QuarantinedCommit {
  return {
    ...{ position: row.position as Position, eventId, events: row.events, sinceMillis },
    keys: JSON.parse(row.keys) as string[],
    attempts: row.attempts,
    error: row.error ?? undefined,
    skipped: row.skipped === 1,
  };
}
