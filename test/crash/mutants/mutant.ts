/** One fault in the code that makes data durable, or that tells damage from a tear. */
export interface Mutant {
  /** What is missing or wrong, as a short phrase. */
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Stands exactly once in the file. */
  readonly find: string;
  readonly replace: string;
  /** The probe that is tried first; the others follow if it does not object. */
  readonly probe: string;
}

/** What a run of the probes says, as one line of JSON. */
export interface ProbeReport {
  /** The probe that objected; undefined when none did. */
  readonly killedBy?: string;
  readonly what?: string;
  readonly probes: number;
}
