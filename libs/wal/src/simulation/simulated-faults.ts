/** What a fault can hit. The asynchronous forms count as the operation that they are. */
export type FaultyOperation =
  | 'list'
  | 'open'
  | 'read'
  | 'write'
  | 'data-sync'
  | 'publish'
  | 'rename'
  | 'unlink'
  | 'sync-directory'
  | 'create-zeroed'
  | 'sha256';

export type FaultEffect =
  | { readonly kind: 'error'; readonly code: string }
  /** A sync that fails and calls the pages clean, as Linux does: a later one succeeds without writing them. */
  | { readonly kind: 'failed-sync'; readonly code: string }
  /** A sync that answers yes and does nothing. */
  | { readonly kind: 'lying-sync' }
  /** Writes this many bytes only, and says so. */
  | { readonly kind: 'short-write'; readonly bytes: number }
  /** Writes at another place than was asked for. */
  | { readonly kind: 'misdirected-write'; readonly distance: number };

export interface Fault {
  readonly operation: FaultyOperation;
  /** Matched against the whole path; everything when left out. */
  readonly path?: RegExp;
  /** Lets this many pass first. */
  readonly skip?: number;
  /** Hits this many, then no more; for ever when left out. */
  readonly times?: number;
  readonly effect: FaultEffect;
}

/** The faults that wait to happen. */
export class SimulatedFaults {
  private readonly planned: { fault: Fault; seen: number }[] = [];

  /** Returns what ends the fault. */
  plan(fault: Fault): () => void {
    const entry = { fault, seen: 0 };
    this.planned.push(entry);
    return () => {
      this.planned.splice(this.planned.indexOf(entry), 1);
    };
  }

  clear(): void {
    this.planned.length = 0;
  }

  /** What happens to this operation. Throws the error of an `error` fault. */
  meet(operation: FaultyOperation, path: string): FaultEffect | undefined {
    for (const entry of this.planned) {
      const { fault } = entry;
      if (fault.operation !== operation || fault.path?.test(path) === false) continue;
      const at = entry.seen++ - (fault.skip ?? 0);
      if (at < 0 || at >= (fault.times ?? Infinity)) continue;
      if (fault.effect.kind === 'error') throw systemError(fault.effect.code, operation, path);
      return fault.effect;
    }
    return undefined;
  }
}

export function systemError(code: string, operation: string, path: string): Error {
  return Object.assign(new Error(`${code}: simulated, ${operation} '${path}'`), { code });
}
