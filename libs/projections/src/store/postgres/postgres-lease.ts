import type { Position } from '@holdfast/event-store/reading';
import { assert } from '@holdfast/kernel';
import { escapeIdentifier } from 'pg';
import type { FeedCursor } from '../../event-feed.js';
import type { QuarantineChange } from '../../quarantined-commit.js';
import { fenced, paused } from '../../read-model.errors.js';
import type {
  FailedAttempts,
  HasDiverged,
  Promotion,
  ReadModelLease,
  ReadModelTarget,
} from '../../read-model-store.js';
import { SwitchOver } from '../generations/switch-over.js';
import { type GenerationRow, textOf } from './postgres-catalog.js';
import { FILL_QUICKLY, MAKE_DURABLE } from './postgres-durability.js';
import type { HoldContext, PostgresHold } from './postgres-hold.js';
import { PostgresLeasedQuarantine } from './postgres-quarantine.js';
import { PostgresSwitch } from './postgres-switch.js';
import { OpenTransaction, type PostgresTransaction } from './postgres-transaction.js';

export interface LeaseContext extends HoldContext {
  readonly target: ReadModelTarget;
  readonly graceMillis: number;
  readonly olderVersionMillis: number;
}

const neverDiverged: HasDiverged = () => Promise.resolve(false);

/** The right to write one generation, in a session of its own. */
export class PostgresLease implements ReadModelLease<PostgresTransaction> {
  failure: FailedAttempts | undefined;
  readonly quarantine: PostgresLeasedQuarantine;
  promoted: boolean;
  private busy = false;
  private released = false;
  private readonly switchOver: SwitchOver;

  private constructor(
    private readonly context: LeaseContext,
    private readonly hold: PostgresHold,
    private readonly schema: string,
    row: GenerationRow,
  ) {
    this.promoted = row.state === 'live';
    const { catalog, session } = context;
    this.quarantine = new PostgresLeasedQuarantine(session, catalog, hold.generation);
    this.switchOver = new SwitchOver(new PostgresSwitch(context, hold, schema), hold);
    if (row.attempts > 0)
      this.failure = {
        attempts: row.attempts,
        after: row.position as Position,
        error: row.error ?? '',
      };
  }

  static async on(
    context: LeaseContext,
    hold: PostgresHold,
    row: GenerationRow,
  ): Promise<PostgresLease> {
    const { session } = context;
    await session.run(`SET search_path TO ${escapeIdentifier(row.schema)}`);
    await session.run(row.state === 'live' ? MAKE_DURABLE : FILL_QUICKLY);
    return new PostgresLease(context, hold, row.schema, row);
  }

  get generation(): number {
    return this.hold.generation;
  }

  get token(): number {
    return this.hold.token;
  }

  get cursor(): FeedCursor | undefined {
    return this.hold.cursor;
  }

  async transact(
    to: FeedCursor | undefined,
    work: (transaction: PostgresTransaction) => void | Promise<void>,
    changes: readonly QuarantineChange[] = [],
  ): Promise<void> {
    this.assertUsable();
    this.busy = true;
    const { session, clock } = this.context;
    const transaction = new OpenTransaction(session);
    try {
      await session.run('BEGIN');
      await (to === undefined ? this.hold.extend() : this.hold.move(to));
      await work(transaction);
      await transaction.finish();
      await this.quarantine.change(changes, clock.nowMillis());
      await session.commit();
    } catch (thrown) {
      const error = await transaction.abandon(thrown);
      await session.rollback();
      throw await this.context.catalog.explained(session, error, this.schema);
    } finally {
      this.busy = false;
    }
    this.hold.moved(to);
    if (to !== undefined) this.failure = undefined;
  }

  renew(): Promise<void> {
    return this.run(async () => {
      const { catalog, session, target } = this.context;
      if (target === 'live' && (await catalog.isPaused(session)))
        throw paused(catalog.projection.name);
      const { isDue } = this.hold;
      await this.switchOver.renew();
      await this.hold.renew();
      if (isDue) await sweep(this.context);
    });
  }

  recordFailure(error: string): Promise<FailedAttempts> {
    return this.run(async () => {
      const { catalog, session } = this.context;
      const { generation, token } = this;
      const [row] = await session.rows<Pick<GenerationRow, 'attempts' | 'position'>>(
        `UPDATE ${catalog.table} SET attempts = attempts + 1, error = $1, lease_until = $2
         WHERE id = $3 AND token = $4 AND state <> 'retired' RETURNING attempts, position`,
        [textOf(error), this.hold.leaseUntil, generation, token],
      );
      if (row === undefined) throw fenced({ generation, token });
      return (this.failure = { attempts: row.attempts, after: row.position as Position, error });
    });
  }

  promote(
    hasDiverged: HasDiverged = neverDiverged,
    lastLook?: () => Promise<void>,
  ): Promise<Promotion> {
    return this.run(async () => {
      const promotion = await this.switchOver.run(hasDiverged, lastLook);
      this.promoted = promotion.promoted;
      return promotion;
    });
  }

  refuse(reason: string): Promise<void> {
    return this.run(async () => {
      await this.hold.change('refusal = $6', textOf(reason));
    });
  }

  accept(): Promise<void> {
    return this.run(async () => {
      const { catalog, session } = this.context;
      // Asked with the first batch of each subscription, and hardly ever true.
      const refused = `SELECT 1 FROM ${catalog.table} WHERE id = $1 AND refusal IS NOT NULL`;
      if ((await session.rows(refused, [this.generation])).length > 0)
        await this.hold.change('refusal = NULL');
    });
  }

  giveUp(): Promise<void> {
    const now = this.context.clock.nowMillis();
    const retire = `state = 'retired', retired_at = $6`;
    return this.run(async () => {
      await this.hold.change(retire, now);
    });
  }

  async release(): Promise<void> {
    if (this.released) return;
    assert(!this.busy, 'a lease is not released within a transaction');
    this.released = true;
    await this.switchOver.end();
    await this.hold.release();
    await this.context.session.close();
  }

  private assertUsable(): void {
    assert(!this.released, 'a released lease is not used');
    assert(!this.busy, 'one transaction at a time');
  }

  /** For what is no transaction of the projection's. */
  private async run<Result>(body: () => Promise<Result>): Promise<Result> {
    this.assertUsable();
    const { catalog, session } = this.context;
    try {
      return await body();
    } catch (error) {
      throw await catalog.explained(session, error, this.schema);
    }
  }
}

/** Removes what was replaced, and retires what a newer version has superseded, each after its time. */
export async function sweep({
  catalog,
  session,
  clock,
  graceMillis,
  olderVersionMillis,
}: LeaseContext): Promise<void> {
  const now = clock.nowMillis();
  await catalog.sweep(session, now - olderVersionMillis, now - graceMillis);
}
