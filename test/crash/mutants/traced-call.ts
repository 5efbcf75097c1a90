/** Names the file that calls are noted in. */
export const TRACED_INTO = 'HOLDFAST_TRACED_INTO';

/** One call on a file of a state, or something that the program said. */
export interface TracedCall {
  readonly call: 'write' | 'read' | 'sync' | 'rename' | 'remove' | 'said';
  readonly path: string;
  readonly to?: string;
  /** What was written, where it was text; or said. */
  readonly text?: string;
  readonly bytes?: number;
}
