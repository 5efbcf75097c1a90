import { unavailable, fenced } from '../../read-model.errors.js';
import type {
  FilledGeneration,
  HeldGeneration,
  SwitchedTables,
} from '../generations/switch-over.js';
import { COLUMNS, type GenerationRow, cursorOf } from './postgres-catalog.js';
import { isLockTimeout } from './postgres-errors.js';
import { type HoldContext, PostgresHold } from './postgres-hold.js';
import { MAKE_DURABLE } from './postgres-durability.js';
import { tablesOf } from './postgres-digest.js';

/** What a switch of schemas asks of the catalog: all of it is one transaction there. */
export class PostgresSwitch implements SwitchedTables {
  constructor(
    private readonly context: HoldContext,
    private readonly filled: PostgresHold,
    private readonly schema: string,
  ) {}

  async live(): Promise<number | undefined> {
    const { catalog, session } = this.context;
    return (await catalog.live(session, catalog.projection.version))?.id;
  }

  async takeByForce(live: number): Promise<HeldGeneration | undefined> {
    try {
      const taken = await PostgresHold.take(this.context, live, { force: true });
      return typeof taken === 'object' && 'hold' in taken ? taken.hold : undefined;
    } catch (error) {
      if (!isLockTimeout(error)) throw error;
      throw unavailable(this.context.session.place, 'its worker does not end a transaction');
    }
  }

  async older(): Promise<readonly FilledGeneration[]> {
    const { catalog, session } = this.context;
    const all = await catalog.generations(session);
    return all
      .filter(({ state, version }) => state === 'live' && version < catalog.projection.version)
      .map((row) => ({ generation: row.id, cursor: cursorOf(row) }));
  }

  async isRefused(generation: number): Promise<boolean> {
    const { catalog, session } = this.context;
    const all = await catalog.generations(session);
    return all.some(({ id, refusal }) => id === generation && refusal !== null);
  }

  async refuse(generation: number, reason: string): Promise<void> {
    const { catalog, session } = this.context;
    await catalog.refuse(session, generation, reason);
  }

  /** The log of the server is one: a commit that is synced takes all earlier ones to the disk with it, and the switch is the next. */
  async makeDurable(): Promise<void> {
    const { session } = this.context;
    await session.run(MAKE_DURABLE);
    // Queries come at once, and are planned by what the server knows of the tables by then.
    for (const table of await tablesOf(session, this.schema)) await session.run(`ANALYZE ${table}`);
  }

  async isSwitched(live: HeldGeneration | undefined): Promise<boolean> {
    const { catalog, session, clock } = this.context;
    const { name, version } = catalog.projection;
    return await session.transaction(async () => {
      // From here on nobody else moves either of them.
      const rows = await session.rows<GenerationRow>(
        `SELECT ${COLUMNS} FROM ${catalog.table}
         WHERE projection = $1 AND version = $2 AND state <> 'retired' ORDER BY id FOR UPDATE`,
        [name, version],
      );
      const { generation, token } = this.filled;
      const own = rows.find(({ id }) => id === generation);
      if (own?.state !== 'filling' || !this.filled.isAt(own))
        throw fenced({ generation, token, foundToken: own?.token, state: own?.state ?? 'retired' });
      const present = rows.find(({ state }) => state === 'live');
      if (present?.id !== live?.generation) return false;
      // The stand-in was taken by this very class.
      if (present !== undefined && !(live as PostgresHold).isAt(present)) return false;
      if (present !== undefined) await catalog.giveUp(session, present.id);
      await session.run(
        `UPDATE ${catalog.table} SET state = 'live', promoted_at = $1 WHERE id = $2`,
        [clock.nowMillis(), generation],
      );
      return true;
    });
  }
}
