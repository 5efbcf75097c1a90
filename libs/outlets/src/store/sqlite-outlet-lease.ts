import type { Position } from '@holdfast/event-store/reading';
import type { Clock } from '@holdfast/kernel';
import type { FeedCursor } from '@holdfast/projections';
import type { LifeLock } from '@holdfast/projections/consuming';
import { fenced, moved } from '../outlet.errors.js';
import type { OutletLease, OutletRecord } from '../outlet-positions.js';
import { type OutletRow, ROW, recordOf } from './outlet-row.js';
import type { SqliteOutletFile } from './sqlite-outlet-file.js';

const SET = 'UPDATE outlet SET lease_until = ?';

/** The right to deliver. Each change checks, in its own transaction, that the token and what an operator may change are still those that this lease knows. */
export class SqliteOutletLease implements OutletLease {
  readonly token: number;
  private untilMillis: number;
  private released = false;

  constructor(
    private readonly file: SqliteOutletFile,
    private readonly clock: Clock,
    private readonly leaseMillis: number,
    private readonly life: LifeLock | undefined,
    private row: OutletRow,
  ) {
    this.token = row.token;
    this.untilMillis = row.lease_until;
  }

  get record(): OutletRecord {
    return recordOf(this.row);
  }

  reach(furthest: FeedCursor): Promise<void> {
    return this.change('furthest = ?', JSON.stringify(furthest));
  }

  save({ logId, position, timeline }: FeedCursor, delivered?: Position): Promise<void> {
    return this.change(
      'log_id = ?, position = ?, timeline = ?, delivered = coalesce(?, delivered), attempts = 0, failing_since = NULL, error = NULL',
      ...[logId, position, timeline, delivered ?? null],
    );
  }

  async renew(): Promise<void> {
    if (this.untilMillis - this.clock.nowMillis() < (this.leaseMillis * 2) / 3) {
      await this.change('owner = owner');
    } else {
      this.file.transaction(() => this.assertOurs(), 'deferred');
    }
  }

  async recordFailure(error: string): Promise<OutletRecord> {
    const now = this.clock.nowMillis();
    await this.change(
      'attempts = attempts + 1, failing_since = coalesce(failing_since, ?), error = ?',
      ...[now, error],
    );
    return this.record;
  }

  hold(hold: 'disabled' | 'diverged', reason: string): Promise<void> {
    return this.change(`${hold} = ?`, reason);
  }

  toldOfEnd(): Promise<void> {
    return this.change('ended = NULL');
  }

  // eslint-disable-next-line @typescript-eslint/require-await
  async release(): Promise<void> {
    if (this.released) return;
    this.released = true;
    try {
      const sql = 'UPDATE outlet SET owner = NULL, lease_until = 0 WHERE name = ? AND token = ?';
      this.file.transaction(() => this.file.run(sql, this.row.name, this.token));
    } catch {
      // A successor finds the lock of our token free, or our time over.
    }
    this.life?.release();
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- as the port has it
  private async change(assignments: string, ...values: readonly unknown[]): Promise<void> {
    const until = this.clock.nowMillis() + this.leaseMillis;
    const { name } = this.row;
    this.row = this.file.transaction(() => {
      this.assertOurs();
      this.file.run(`${SET}, ${assignments} WHERE name = ?`, until, ...values, name);
      return this.file.get(ROW, name) as OutletRow;
    });
    this.untilMillis = until;
  }

  private assertOurs(): void {
    const { name, revision, position, log_id: logId, timeline } = this.row;
    const found = this.file.get(ROW, name) as OutletRow | undefined;
    if (found?.token !== this.token) throw fenced(name);
    const isSame =
      found.revision === revision &&
      found.position === position &&
      found.log_id === logId &&
      found.timeline === timeline;
    if (!isSame) throw moved(name);
  }
}
