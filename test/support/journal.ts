/** What a command was answered, wherever it was sent: alone or in a bulk. */
export interface Answer {
  readonly status: number;
  /** JSON as it came; members in their order. */
  readonly body: string;
  /** The token of its place in the log; undefined for an answer that is not recorded. */
  readonly position: string | undefined;
}

/** One command as the client knows it. Its key is never used for another. */
export interface JournalEntry {
  readonly key: string;
  readonly type: 'OpenAccount' | 'PostTransfer';
  readonly body: object;
  /** How often it was sent and nobody can say what came of it. */
  unknownOutcomes: number;
  /** The first final answer; every later one must equal it. */
  answer: Answer | undefined;
}

/** Everything that a client asked of a ledger, noted before it asked, and everything that it was told. */
export class Journal {
  readonly entries: JournalEntry[] = [];
  private readonly byKey = new Map<string, JournalEntry>();

  constructor(readonly ledger: string) {}

  note(type: JournalEntry['type'], key: string, body: object): JournalEntry {
    if (this.byKey.has(key)) throw new Error(`the key ${key} was used before`);
    const entry: JournalEntry = { key, type, body, unknownOutcomes: 0, answer: undefined };
    this.entries.push(entry);
    this.byKey.set(key, entry);
    return entry;
  }

  get(key: string): JournalEntry | undefined {
    return this.byKey.get(key);
  }

  get unanswered(): readonly JournalEntry[] {
    return this.entries.filter((entry) => entry.answer === undefined);
  }
}
