import type { Position, RecordedEvent } from '@holdfast/event-store';
import { defined } from '@holdfast/kernel';
import { escapeIdentifier } from 'pg';
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
import { type GenerationRow, type PostgresCatalog, textOf } from './postgres-catalog.js';
import type { PostgresSession } from './postgres-session.js';

const COLUMNS = 'generation, position, event_id, events, keys, attempts, error, since, skipped';

interface Row {
  readonly generation: number;
  readonly position: number;
  readonly event_id: string;
  readonly events: number;
  readonly keys: string;
  readonly attempts: number;
  readonly error: string | null;
  readonly since: number;
  readonly skipped: boolean;
}

interface SkipRow extends Omit<SkipDecision, 'content' | 'error'> {
  readonly error: string | null;
  readonly content: string | null;
}

/** The tables of the quarantine beside the catalog, by generation. Events and keys are JSON text: what `jsonb` makes of numbers is another thing, and no text of the server holds U+0000 or half of a surrogate pair. */
class Tables {
  readonly commits: string;
  readonly releases: string;
  readonly skips: string;

  constructor({ schema }: PostgresCatalog) {
    const own = escapeIdentifier(schema);
    this.commits = `${own}.quarantine`;
    this.releases = `${own}.quarantine_release`;
    this.skips = `${own}.quarantine_skip`;
  }
}

async function commitsOf(
  session: PostgresSession,
  tables: Tables,
  generations: readonly number[],
): Promise<readonly (Row & { readonly commit: QuarantinedCommit })[]> {
  const rows = await session.rows<Row>(
    `SELECT ${COLUMNS} FROM ${tables.commits} WHERE generation = ANY($1) ORDER BY generation, position`,
    [generations],
  );
  return rows.map((row) => ({ ...row, commit: commitOf(row) }));
}

async function contentIn(
  session: PostgresSession,
  tables: Tables,
  generation: number,
  position: Position,
): Promise<readonly RecordedEvent[] | undefined> {
  const [row] = await session.rows<{ readonly content: string }>(
    `SELECT content FROM ${tables.commits} WHERE generation = $1 AND position = $2`,
    [generation, position],
  );
  return row && (JSON.parse(row.content) as RecordedEvent[]);
}

/** In the session of a lease. */
export class PostgresLeasedQuarantine implements LeasedQuarantine {
  private readonly tables: Tables;

  constructor(
    private readonly session: PostgresSession,
    private readonly catalog: PostgresCatalog,
    private readonly generation: number,
  ) {
    this.tables = new Tables(catalog);
  }

  async waiting(): Promise<readonly QuarantinedCommit[]> {
    const rows = await commitsOf(this.session, this.tables, [this.generation]);
    return rows.map(({ commit }) => commit).filter(({ skipped }) => !skipped);
  }

  async contentOf(position: Position): Promise<readonly RecordedEvent[]> {
    const content = await contentIn(this.session, this.tables, this.generation, position);
    return defined(content, 'the events of a commit in the quarantine');
  }

  async orders(): Promise<QuarantineOrders> {
    const releases = await this.session.rows<{ id: number; position: Position | null }>(
      `SELECT id, position FROM ${this.tables.releases} WHERE generation = $1 ORDER BY id`,
      [this.generation],
    );
    const skips = await skipsOf(this.session, this.tables, this.catalog, 'NULL');
    return {
      releases: releases.map(({ id, position }) => ({ id, position: position ?? undefined })),
      skips,
    };
  }

  async obeyed(releases: QuarantineOrders['releases']): Promise<void> {
    const sql = `DELETE FROM ${this.tables.releases} WHERE id = ANY($1)`;
    await this.session.run(sql, [releases.map(({ id }) => id)]);
  }

  /** Within the transaction of the lease. */
  async change(changes: readonly QuarantineChange[], nowMillis: number): Promise<void> {
    for (const change of changes)
      if (change.kind === 'put') await this.put(change, nowMillis);
      else await this.session.run(this.statementOf(change), this.valuesOf(change));
  }

  private async put(
    { content, keys, attempts, error, skipped }: Extract<QuarantineChange, { kind: 'put' }>,
    nowMillis: number,
  ): Promise<void> {
    const [{ position, id }] = content;
    await this.session.run(
      `INSERT INTO ${this.tables.commits} (${COLUMNS}, content) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
      [
        ...[this.generation, position, id, content.length, JSON.stringify(keys), attempts],
        ...[error === undefined ? null : textOf(error), nowMillis, skipped === true],
        JSON.stringify(content),
      ],
    );
  }

  private statementOf({ kind }: Exclude<QuarantineChange, { kind: 'put' }>): string {
    const { commits } = this.tables;
    const one = 'WHERE generation = $1 AND position = $2';
    if (kind === 'applied') return `DELETE FROM ${commits} ${one}`;
    if (kind === 'skipped') return `UPDATE ${commits} SET skipped = true ${one}`;
    return `UPDATE ${commits} SET attempts = attempts + 1, error = $3 ${one}`;
  }

  private valuesOf(change: Exclude<QuarantineChange, { kind: 'put' }>): readonly unknown[] {
    const { position } = change;
    const error = change.kind === 'refused' ? [textOf(change.error)] : [];
    return [this.generation, position, ...error];
  }
}

/** Runs some work in a session, for a moment; undefined where no worker has made a catalog. */
export type Look = <Result>(
  work: (session: PostgresSession) => Promise<Result>,
) => Promise<Result | undefined>;

export class PostgresStoredQuarantine implements StoredQuarantine {
  private readonly tables: Tables;

  constructor(
    private readonly catalog: PostgresCatalog,
    private readonly look: Look,
    private readonly nowMillis: () => number,
  ) {
    this.tables = new Tables(catalog);
  }

  async list(): Promise<readonly GenerationQuarantine[]> {
    return (await this.look((session) => this.listIn(session))) ?? [];
  }

  contentOf(generation: number, position: Position): Promise<readonly RecordedEvent[] | undefined> {
    return this.look((session) => contentIn(session, this.tables, generation, position));
  }

  async release(position: Position | undefined): Promise<number> {
    const sql = `INSERT INTO ${this.tables.releases} (generation, position) VALUES ($1, $2)`;
    const asked = await this.look(async (session) => {
      const all = await this.listIn(session);
      const found = all.filter(({ commits }) => isOrdered(commits, position));
      for (const { generation } of found) await session.run(sql, [generation, position ?? null]);
      return found.length;
    });
    return asked ?? 0;
  }

  async skip(
    position: Position,
    { by, reason }: { readonly by: string; readonly reason: string },
  ): Promise<boolean> {
    const { skips } = this.tables;
    const { name } = this.catalog.projection;
    const isDecided = await this.look(async (session) => {
      const all = await this.listIn(session);
      const found = all.filter(({ commits }) => commits.some((one) => isSkippable(one, position)));
      // The first decision stays.
      for (const { generation } of found)
        await session.run(
          `INSERT INTO ${skips} (projection, position, event_id, events, decided_by, reason, decided_at, error, content)
           SELECT $1, position, event_id, events, $2, $3, $4, error, content FROM ${this.tables.commits}
           WHERE generation = $5 AND position = $6 ON CONFLICT DO NOTHING`,
          [name, textOf(by), textOf(reason), this.nowMillis(), generation, position],
        );
      return found.length > 0;
    });
    return isDecided ?? false;
  }

  async skips(): Promise<readonly SkipDecision[]> {
    return (
      (await this.look((session) => skipsOf(session, this.tables, this.catalog, 'content'))) ?? []
    );
  }

  private async listIn(session: PostgresSession): Promise<readonly GenerationQuarantine[]> {
    const all = await this.catalog.generations(session);
    const ids = all.map(({ id }) => id);
    const rows = await commitsOf(session, this.tables, ids);
    const pending = await session.rows<{ readonly generation: number; readonly count: number }>(
      `SELECT generation, count(*) AS count FROM ${this.tables.releases} WHERE generation = ANY($1) GROUP BY generation`,
      [ids],
    );
    return all.map((row) => ({
      ...{ generation: row.id, version: row.version, state: stateOf(row) },
      commits: rows.filter(({ generation }) => generation === row.id).map(({ commit }) => commit),
      releasesPending: pending.find(({ generation }) => generation === row.id)?.count ?? 0,
    }));
  }
}

/** Events that wait, by generation. */
export async function quarantinedEvents(
  session: PostgresSession,
  catalog: PostgresCatalog,
): Promise<ReadonlyMap<number, number>> {
  const { commits } = new Tables(catalog);
  const rows = await session.rows<{ readonly generation: number; readonly events: number }>(
    `SELECT generation, sum(events)::bigint AS events FROM ${commits} WHERE NOT skipped GROUP BY generation`,
  );
  return new Map(rows.map(({ generation, events }) => [generation, events]));
}

async function skipsOf(
  session: PostgresSession,
  { skips }: Tables,
  { projection: { name } }: PostgresCatalog,
  content: 'content' | 'NULL',
): Promise<readonly SkipDecision[]> {
  const rows = await session.rows<SkipRow>(
    `SELECT position, event_id AS "eventId", events, decided_by AS "by", reason, decided_at AS "atMillis", error, ${content} AS content
     FROM ${skips} WHERE projection = $1 ORDER BY position`,
    [name],
  );
  return rows.map(({ error, content: text, ...skip }) => ({
    ...{ ...skip, error: error ?? undefined },
    content: JSON.parse(text ?? '[]') as RecordedEvent[],
  }));
}

function stateOf({ state }: GenerationRow): 'live' | 'filling' {
  return state === 'live' ? state : 'filling';
}

function commitOf({ event_id: eventId, since: sinceMillis, ...row }: Row): QuarantinedCommit {
  const { position, events, keys, attempts, error, skipped } = row;
  return {
    ...{ position: position as Position, eventId, events, attempts, sinceMillis, skipped },
    keys: JSON.parse(keys) as string[],
    error: error ?? undefined,
  };
}
