/** What a command was answered, wherever it was sent: alone or in a bulk. */
export interface Answer {
  readonly status: number;
  /** JSON as it came; members in their order. */
  readonly body: string;
  /** The token of its place in the log; undefined for an answer that is not recorded. */
  readonly position: string | undefined;
}

/** What came of sending a request once. */
export type Attempt = 'answered' | 'not-applied' | 'unknown';

/** One command as the client knows it. Its key is never used for another. */
export interface JournalEntry {
  readonly key: string;
  readonly type: 'OpenAccount' | 'PostTransfer';
  readonly body: object;
  /** How often it was sent and nobody can say what came of it. */
  unknownOutcomes: number;
  /** How often the service said that it was not applied. */
  refusals: number;
  /** The first final answer; every later one must equal it. */
  answer: Answer | undefined;
}

export interface JournalOptions {
  /** Whether others may have sent commands under such a key. Default: nobody has. */
  readonly isForeign?: (key: string) => boolean;
  /** Told of everything as it is noted, for a journal that outlives the process. */
  readonly onLine?: (line: object) => void;
}

/** Everything that a client asked of a ledger, noted before it asked, and everything that it was told. */
export class Journal {
  readonly entries: JournalEntry[] = [];
  private readonly byKey = new Map<string, JournalEntry>();

  constructor(
    readonly ledger: string,
    private readonly options: JournalOptions = {},
  ) {}

  note(type: JournalEntry['type'], key: string, body: object): JournalEntry {
    if (this.byKey.has(key)) throw new Error(`the key ${key} was used before`);
    const entry = { key, type, body, unknownOutcomes: 0, refusals: 0, answer: undefined };
    this.entries.push(entry);
    this.byKey.set(key, entry);
    this.options.onLine?.({ key, type, body });
    return entry;
  }

  /** Throws when the answer differs from an earlier one. */
  answered(entry: JournalEntry, answer: Answer): Attempt {
    if (entry.answer === undefined) {
      entry.answer = answer;
      this.options.onLine?.({ key: entry.key, answer });
    }
    const [first, now] = [JSON.stringify(entry.answer), JSON.stringify(answer)];
    if (first !== now) throw new Error(`${entry.key} was answered ${first} and then ${now}`);
    return 'answered';
  }

  missed(entries: readonly JournalEntry[], attempt: 'not-applied' | 'unknown'): Attempt {
    for (const entry of entries) {
      if (attempt === 'unknown') entry.unknownOutcomes++;
      else entry.refusals++;
      this.options.onLine?.({ key: entry.key, attempt });
    }
    return attempt;
  }

  get(key: string): JournalEntry | undefined {
    return this.byKey.get(key);
  }

  /** Whether somebody asked for a command under this key. */
  explains(key: string): boolean {
    return this.byKey.has(key) || this.options.isForeign?.(key) === true;
  }

  get unanswered(): readonly JournalEntry[] {
    return this.entries.filter((entry) => entry.answer === undefined);
  }
}
