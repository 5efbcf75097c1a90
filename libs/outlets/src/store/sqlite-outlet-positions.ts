import { BEFORE_FIRST_POSITION, type Position } from '@holdfast/event-store/reading';
import { type Clock, systemClock } from '@holdfast/kernel';
import type { FeedCursor } from '@holdfast/projections';
import { LifeLock } from '@holdfast/projections/consuming';
import { diverged, invalidName, notDiverged, unknownOutlet } from '../outlet.errors.js';
import type { EndedHistory } from '../outlet.js';
import type { OutletLease, OutletPositions, OutletRecord } from '../outlet-positions.js';
import { SqliteOutletFile } from './sqlite-outlet-file.js';
import { SqliteOutletLease } from './sqlite-outlet-lease.js';
import { type OutletRow, ROW, recordOf } from './outlet-row.js';

export interface SqliteOutletPositionsOptions {
  /** A holder that shows no life for so long loses the outlet. One that ended loses it at once. Default 10,000. */
  readonly leaseMillis?: number;
  readonly clock?: Clock;
}

const LEASE_MILLIS = 10_000;
const NAME = /^[a-z][a-z0-9-]{0,62}$/;

const ADD = 'INSERT OR IGNORE INTO outlet (name) VALUES (?)';
const NEXT_TOKEN = 'UPDATE token SET last = last + 1 RETURNING last';
const TAKE = 'UPDATE outlet SET token = ?, owner = ?, lease_until = ? WHERE name = ?';
/** What an operator changes, a running process notices by the revision. */
const CHANGE = 'UPDATE outlet SET revision = revision + 1';
const PLACE = 'log_id = ?, position = ?, timeline = ?';
const FORGET = 'delivered = NULL, attempts = 0, failing_since = NULL, error = NULL';

/**
 * The positions of all outlets in one file, for any number of processes.
 *
 * Invariant: a position is changed only by the holder of the newest token, from where that holder left it, or by an operator, whom every holder notices by the revision. The operating
 * system's lock and the time only decide how soon another process may take a higher token.
 */
export class SqliteOutletPositions implements OutletPositions {
  private readonly file: SqliteOutletFile;
  private readonly clock: Clock;
  private readonly leaseMillis: number;

  constructor(path: string, options: SqliteOutletPositionsOptions = {}) {
    this.file = new SqliteOutletFile(path);
    this.clock = options.clock ?? systemClock;
    this.leaseMillis = options.leaseMillis ?? LEASE_MILLIS;
  }

  /** For tests: gone with the process. */
  static inMemory(options?: SqliteOutletPositionsOptions): SqliteOutletPositions {
    return new SqliteOutletPositions(':memory:', options);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- the port is for databases out of process too
  async list(): Promise<readonly OutletRecord[]> {
    const sql = 'SELECT * FROM outlet ORDER BY name';
    const rows = this.file.transaction(() => this.file.all(sql), 'deferred');
    return (rows as readonly OutletRow[]).map(recordOf);
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async load(name: string): Promise<OutletRecord | undefined> {
    const row = this.file.transaction(() => this.row(name), 'deferred');
    return row && recordOf(row);
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async acquire(name: string, owner: string): Promise<OutletLease | OutletRecord> {
    assertName(name);
    // Looked at without the write lock first, so that those who wait do not slow down the one who works.
    const found = this.file.transaction(() => this.unavailable(name), 'deferred');
    if (found !== undefined) return found;
    let life: LifeLock | undefined;
    try {
      return this.file.transaction(() => {
        const unavailable = this.unavailable(name);
        if (unavailable !== undefined) return unavailable;
        this.file.run(ADD, name);
        const { last: token } = this.file.get(NEXT_TOKEN) as { last: number };
        this.file.run(TAKE, token, owner, this.clock.nowMillis() + this.leaseMillis, name);
        const { locksPath } = this.file;
        life = locksPath === undefined ? undefined : LifeLock.take(locksPath, token);
        const { file, clock, leaseMillis } = this;
        return new SqliteOutletLease(file, clock, leaseMillis, life, this.known(name));
      });
    } catch (error) {
      life?.release();
      throw error;
    }
  }

  async move(name: string, to: FeedCursor): Promise<void> {
    assertName(name);
    await this.changed(() => {
      this.file.run(ADD, name);
      const { diverged: reason } = this.known(name);
      if (reason !== null) throw diverged(name, reason);
      this.file.run(`${CHANGE}, ${PLACE}, ${FORGET} WHERE name = ?`, ...placeOf(to), name);
    });
  }

  async accept(name: string, from: FeedCursor): Promise<void> {
    await this.changed(() => {
      const row = this.known(name);
      if (row.diverged === null) throw notDiverged(name);
      const before = recordOf(row);
      // If the outlet has not been told of an earlier end yet: what it has is of the history before that.
      const previous = before.ended?.previous ?? before.furthest ?? before.cursor;
      // What was not delivered in the history that ended is in neither: to begin behind it would leave it out.
      const stands = before.cursor ?? {
        logId: from.logId,
        position: BEFORE_FIRST_POSITION,
        timeline: '',
      };
      const isBefore = stands.logId === from.logId && stands.position < from.position;
      const next = isBefore ? stands : from;
      const ended: EndedHistory | undefined = previous && { previous, next };
      this.file.run(
        `${CHANGE}, ${PLACE}, ${FORGET}, diverged = NULL, furthest = NULL, ended = ? WHERE name = ?`,
        ...placeOf(next),
        ended === undefined ? null : JSON.stringify(ended),
        name,
      );
    });
  }

  pause(name: string): Promise<void> {
    return this.changeOf(name, 'paused = 1');
  }

  resume(name: string): Promise<void> {
    return this.changeOf(name, 'paused = 0, disabled = NULL, attempts = 0, failing_since = NULL');
  }

  disable(name: string, reason: string): Promise<void> {
    return this.changeOf(name, 'disabled = ?', reason);
  }

  async remove(name: string): Promise<void> {
    await this.changed(() => void this.file.run('DELETE FROM outlet WHERE name = ?', name));
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async close(): Promise<void> {
    this.file.close();
  }

  private changeOf(name: string, assignments: string, ...values: string[]): Promise<void> {
    return this.changed(() => {
      this.known(name);
      this.file.run(`${CHANGE}, ${assignments} WHERE name = ?`, ...values, name);
    });
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  private async changed(change: () => void): Promise<void> {
    this.file.transaction(change);
  }

  private unavailable(name: string): OutletRecord | undefined {
    const row = this.row(name);
    if (row === undefined) return undefined;
    const record = recordOf(row);
    return record.hold !== undefined || this.isHeld(row) ? record : undefined;
  }

  private isHeld({ token, owner, lease_until: until }: OutletRow): boolean {
    const left = until - this.clock.nowMillis();
    // More than a whole lease: the wall clock was set back, and the time says nothing.
    if (owner === null || left <= 0 || left > this.leaseMillis) return false;
    const { locksPath } = this.file;
    return locksPath === undefined || LifeLock.isHeld(locksPath, token);
  }

  private known(name: string): OutletRow {
    const row = this.row(name);
    if (row === undefined) throw unknownOutlet(name);
    return row;
  }

  private row(name: string): OutletRow | undefined {
    return this.file.get(ROW, name) as OutletRow | undefined;
  }
}

function assertName(name: string): void {
  if (!NAME.test(name)) throw invalidName(name);
}

/** Before the first event there is no history yet. */
function placeOf({ logId, position, timeline }: FeedCursor): [string | null, Position, string] {
  return [position === BEFORE_FIRST_POSITION && logId === '' ? null : logId, position, timeline];
}
