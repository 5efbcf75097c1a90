import { type MonotonicClock, assert, defined } from '@holdfast/kernel';
import type { FeedCursor } from '../../event-feed.js';
import { conflict, fenced } from '../../read-model.errors.js';
import { COLUMNS, type GenerationRow, type PostgresCatalog, cursorOf } from './postgres-catalog.js';
import { isLockTimeout } from './postgres-errors.js';
import type { PostgresSession } from './postgres-session.js';

export interface HoldContext {
  readonly catalog: PostgresCatalog;
  readonly session: PostgresSession;
  readonly owner: string;
  readonly leaseMillis: number;
  readonly clock: MonotonicClock;
}

/** Changes with each renewal. */
export interface LeaseMark {
  readonly token: number;
  readonly untilMillis: number;
}

/** Somebody else has the generation: a worker that shows life, and where it stands, or whoever writes just now. */
export interface Occupied {
  readonly holder: string | undefined;
  readonly cursor: FeedCursor | undefined;
  readonly lease: LeaseMark | undefined;
}

/** The generation is gone, or its schema is. */
export const ASTRAY = 'astray';
const LOCKED: Occupied = { holder: undefined, cursor: undefined, lease: undefined };

/** How long a take waits for the transaction of another session. By force: one of a worker at work, which is bounded by the size of a batch. */
const TAKE_WAIT = '1s';
const FORCED_WAIT = '10s';

/** Compare and set: the token and the position must be the ones that this worker knows. */
const AS_KNOWN = `
  id = $1 AND token = $2 AND position = $3 AND log_id IS NOT DISTINCT FROM $4 AND timeline IS NOT DISTINCT FROM $5 AND state <> 'retired'
`;

/** What shows that the holder of a token lives: a lock of its session, which the server lets go of with the connection. */
const lifeOf = (schema: string, token: string): string =>
  `hashtextextended(format('holdfast ${schema} %s %s', id, ${token}), 0)`;

/**
 * A token on one generation.
 *
 * Invariant: no two workers' commits interleave. Each commit changes the generation's row only while the token and the position are the ones that its worker knows; the lock of the session and the time only
 * decide how soon another worker may take a higher one.
 */
export class PostgresHold {
  cursor: FeedCursor | undefined;
  renewedAtMillis: number;

  private constructor(
    private readonly context: HoldContext,
    readonly generation: number,
    readonly token: number,
    cursor: FeedCursor | undefined,
  ) {
    this.cursor = cursor;
    this.renewedAtMillis = context.clock.monotonicMillis();
  }

  /** The hold and what was there, or who has it. By force: also from a live worker, which is fenced by that. */
  static async take(
    context: HoldContext,
    id: number,
    { force = false, overdue }: { readonly force?: boolean; readonly overdue?: LeaseMark } = {},
  ): Promise<
    { readonly hold: PostgresHold; readonly row: GenerationRow } | Occupied | typeof ASTRAY
  > {
    const { catalog, session, clock } = context;
    // Without a lock on the row, so that those who wait do not slow down the one who works. Shared, so that two who look do not take each other for the holder.
    const [found] = await session.rows<GenerationRow & { readonly is_dead: boolean }>(
      `SELECT ${COLUMNS}, pg_try_advisory_xact_lock_shared(${lifeOf(catalog.schema, 'token')}) AS is_dead
       FROM ${catalog.table} WHERE id = $1 AND state <> 'retired'`,
      [id],
    );
    if (found === undefined) return ASTRAY;
    if (!found.is_made) {
      await catalog.giveUp(session, id);
      return ASTRAY;
    }
    const { token, lease_until: untilMillis } = found;
    const isOverdue = token === overdue?.token && untilMillis === overdue.untilMillis;
    // After its time, a holder that is alive but stuck loses the lease too. The wall clock that wrote the time may have been set back since.
    const inTime = untilMillis > clock.nowMillis() && !isOverdue;
    if (!force && inTime && !found.is_dead) {
      const holder = found.owner ?? 'unknown';
      return { holder, cursor: cursorOf(found), lease: { token, untilMillis } };
    }
    try {
      return (await PostgresHold.raise(context, found, force)) ?? LOCKED;
    } catch (error) {
      if (!isLockTimeout(error) || force) throw error;
      // It is stuck within a transaction, which would keep its rows locked for as long as it is.
      if (!inTime && !found.is_dead) await endSessionOf(context, found);
      return LOCKED;
    }
  }

  /** Undefined when somebody else has been faster, or the holder has shown life meanwhile. */
  private static async raise(
    context: HoldContext,
    found: GenerationRow,
    force: boolean,
  ): Promise<{ readonly hold: PostgresHold; readonly row: GenerationRow } | undefined> {
    const { catalog, session, clock, owner, leaseMillis } = context;
    const { id, token, lease_until } = found;
    return await session.transaction(async () => {
      await session.run(`SET LOCAL lock_timeout = '${force ? FORCED_WAIT : TAKE_WAIT}'`);
      const [row] = await session.rows<GenerationRow>(
        `UPDATE ${catalog.table} SET token = token + 1, owner = $1, lease_until = $2
         WHERE id = $3 AND state <> 'retired' AND ($6 OR (token = $4 AND lease_until = $5)) RETURNING ${COLUMNS}`,
        [owner, clock.nowMillis() + leaseMillis, id, token, lease_until, force],
      );
      if (row === undefined) return undefined;
      const [life] = await session.rows<{ readonly is_taken: boolean }>(
        `SELECT pg_try_advisory_lock(${lifeOf(catalog.schema, 'token')}) AS is_taken FROM ${catalog.table} WHERE id = $1`,
        [id],
      );
      assert(life?.is_taken === true, 'the lock of a token that nobody had yet');
      return { hold: new PostgresHold(context, id, row.token, cursorOf(row)), row };
    });
  }

  get leaseUntil(): number {
    return this.context.clock.nowMillis() + this.context.leaseMillis;
  }

  /** Changes the row within a transaction, as long as it is what this worker knows. Throws `READ_MODEL_FENCED`, `READ_MODEL_CONFLICT`. */
  async change(assignments: string, ...values: readonly unknown[]): Promise<GenerationRow> {
    const { catalog, session } = this.context;
    const { position = 0, logId = null, timeline = null } = this.cursor ?? {};
    const [row] = await session.rows<GenerationRow>(
      `UPDATE ${catalog.table} SET ${assignments} WHERE ${AS_KNOWN} RETURNING ${COLUMNS}`,
      [this.generation, this.token, position, logId, timeline, ...values],
    );
    return row ?? (await this.lost());
  }

  /** Moves the row to where this transaction will have brought the tables. */
  async move({ logId, position, timeline }: FeedCursor): Promise<void> {
    await this.change(
      'log_id = $6, position = $7, timeline = $8, lease_until = $9, attempts = 0, error = NULL',
      ...[logId, position, timeline, this.leaseUntil],
    );
  }

  /** For a transaction that leaves the position as it is. */
  async extend(): Promise<void> {
    await this.change('lease_until = $6', this.leaseUntil);
  }

  moved(cursor: FeedCursor | undefined): void {
    this.cursor = cursor ?? this.cursor;
    this.renewedAtMillis = this.context.clock.monotonicMillis();
  }

  /** Whether a third of the lease has passed since it was seen to be ours. */
  get isDue(): boolean {
    const { clock, leaseMillis } = this.context;
    return clock.monotonicMillis() - this.renewedAtMillis >= leaseMillis / 3;
  }

  async renew(): Promise<void> {
    if (!this.isDue) return;
    await this.extend();
    this.renewedAtMillis = this.context.clock.monotonicMillis();
  }

  /** Whether a row, locked, is where this hold left it. */
  isAt(row: GenerationRow): boolean {
    const { position = 0, logId = null, timeline = null } = this.cursor ?? {};
    const isOurs = row.id === this.generation && row.token === this.token;
    return isOurs && row.position === position && row.log_id === logId && row.timeline === timeline;
  }

  /** Its time stays, as over: the tables of an older version are kept for a while after the last lease on them. */
  async release(): Promise<void> {
    const { catalog, session, clock } = this.context;
    try {
      await session.run(
        `UPDATE ${catalog.table} SET lease_until = $1, owner = NULL WHERE id = $2 AND token = $3`,
        [clock.nowMillis(), this.generation, this.token],
      );
      await session.run(
        `SELECT pg_advisory_unlock(${lifeOf(catalog.schema, '$2::bigint')}) FROM (SELECT $1::bigint AS id) hold`,
        [this.generation, this.token],
      );
    } catch {
      // A successor finds the lock of our session free and need not wait either.
    }
  }

  private async lost(): Promise<never> {
    const { catalog, session } = this.context;
    const { generation, token, cursor } = this;
    const [found] = await session.rows<GenerationRow>(
      `SELECT ${COLUMNS} FROM ${catalog.table} WHERE id = $1`,
      [generation],
    );
    const details = { generation, token, foundToken: found?.token };
    const state = found?.state ?? 'removed';
    if (state === 'retired' || state === 'removed') throw fenced({ ...details, state });
    const { position: foundPosition } = defined(found, 'a generation that was not removed');
    if (found?.token !== token) throw fenced(details);
    throw conflict({ ...details, position: cursor?.position ?? 0, foundPosition });
  }
}

/** Ends the server's side of a worker that has lost its lease and hangs, and with it its transaction. */
async function endSessionOf(
  { catalog, session }: HoldContext,
  { id, token }: GenerationRow,
): Promise<void> {
  await session.run(
    `SELECT pg_terminate_backend(pid) FROM pg_locks, (SELECT $1::bigint AS id) hold
     WHERE locktype = 'advisory' AND objsubid = 1 AND granted
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
       AND (classid::bigint << 32) | objid::bigint = ${lifeOf(catalog.schema, '$2::bigint')}`,
    [id, token],
  );
}
