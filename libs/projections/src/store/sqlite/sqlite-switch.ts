import { CodedError, errorCode } from '@holdfast/kernel';
import type {
  FilledGeneration,
  HeldGeneration,
  SwitchedTables,
} from '../generations/switch-over.js';
import { bookkeepingAt, cursorOf } from './sqlite-bookkeeping.js';
import type { SqliteCatalog } from './sqlite-catalog.js';

/** A lease on a file. */
export interface HeldFile extends HeldGeneration {
  readonly version: number;
  /** Runs the body while nobody else can write the generation, if it is still this lease's and where it left it. Throws `READ_MODEL_FENCED`, `READ_MODEL_CONFLICT`. */
  held<Result>(body: () => Result): Result;
}

export interface FilledFile extends HeldFile {
  /** From here on a power cut takes nothing of it back, and it says of itself that it has caught up. */
  makeDurable(): void;
}

/** What a switch of files asks of the catalog and of the files. */
export class SqliteSwitch implements SwitchedTables {
  private standIn: HeldFile | undefined;

  constructor(
    private readonly catalog: SqliteCatalog,
    private readonly filled: FilledFile,
    private readonly take: (live: number) => Promise<HeldFile | undefined>,
  ) {}

  live(): number | undefined {
    return this.catalog.live(this.filled.version)?.id;
  }

  async takeByForce(live: number): Promise<HeldGeneration | undefined> {
    return (this.standIn = await this.take(live));
  }

  older(): readonly FilledGeneration[] {
    const { catalog, filled } = this;
    return catalog.liveBefore(filled.version).map(({ id }) => {
      // Tables that cannot be read hold nothing back.
      const found = bookkeepingAt(catalog.pathOf(id));
      return { generation: id, cursor: found && cursorOf(found) };
    });
  }

  isRefused(generation: number): boolean {
    return this.catalog.refusalOf(generation) !== undefined;
  }

  refuse(generation: number, reason: string): void {
    this.catalog.refuse(generation, reason);
  }

  makeDurable(): void {
    this.filled.makeDurable();
  }

  /**
   * Three files, so three transactions, each within the one before: until the catalog's is committed, the other two keep everybody else from writing. They change
   * nothing but the time of a lease. Crash before that commit: nothing has happened. Crash after it: the switch is made, and both are durable.
   */
  isSwitched(live: HeldGeneration | undefined): boolean {
    const { catalog, filled, standIn } = this;
    const { generation: id, version } = filled;
    const promote = () => catalog.promote({ id, version }, live?.generation);
    try {
      return filled.held(() =>
        live === undefined || standIn === undefined ? promote() : standIn.held(promote),
      );
    } catch (error) {
      // It is not ours any more, and may be further on than what was compared.
      if (live !== undefined && isLossOf(error, live.generation)) return false;
      throw error;
    }
  }
}

function isLossOf(error: unknown, generation: number): boolean {
  const lost = ['READ_MODEL_FENCED', 'READ_MODEL_CONFLICT'].includes(errorCode(error) ?? '');
  return lost && error instanceof CodedError && error.details['generation'] === generation;
}
