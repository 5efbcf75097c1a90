import { spelledKeyRule } from '@holdfast/commands/reading';
import { ProblemException } from './problem.exception.js';

/** RFC 9110, 13.1, without those that are about reading. */
const PRECONDITIONS = [
  ['if-match', 'If-Match'],
  ['if-none-match', 'If-None-Match'],
  ['if-unmodified-since', 'If-Unmodified-Since'],
] as const;

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** What the header fields of a request say of the command. */
export class CommandHeaders {
  constructor(private readonly headers: Headers) {}

  /** `Idempotency-Key` as it is spelled: `keySpelledAs` says which key that is. Throws `invalid-request`. */
  get spelledKey(): string | undefined {
    const header = this.header('idempotency-key');
    if (header !== undefined && !spelledKeyRule.accepts(header))
      throw invalidHeader('Idempotency-Key', spelledKeyRule.problem);
    return header;
  }

  /** Throws `idempotency-key-missing`. */
  get requiredSpelledKey(): string {
    const key = this.spelledKey;
    if (key === undefined) throw new ProblemException('idempotency-key-missing');
    return key;
  }

  /** `If-Match` as it was sent. */
  get ifMatch(): string | undefined {
    return this.header('if-match')?.trim();
  }

  /**
   * A precondition that nobody checks is refused: whoever sends it counts on the command not being applied when it does not hold. Throws `invalid-request`.
   */
  assertNoOtherPrecondition(takesIfMatch = false): void {
    const name = this.otherPrecondition(takesIfMatch);
    if (name !== undefined)
      throw invalidHeader(name, 'is not taken here: this command compares nothing with it');
  }

  /** The name of a precondition that nobody checks, if there is one. */
  otherPrecondition(takesIfMatch: boolean): string | undefined {
    return PRECONDITIONS.find(
      ([field]) => this.header(field) !== undefined && !(takesIfMatch && field === 'if-match'),
    )?.[1];
  }

  private header(name: string): string | undefined {
    const value = this.headers[name];
    return typeof value === 'object' ? value.join(', ') : value;
  }
}

/** A header field that breaks its grammar. */
export function invalidHeader(name: string, problem: string): ProblemException {
  return new ProblemException('invalid-request', {
    parameters: { errors: [{ in: 'header', pointer: `/${name}`, detail: `${name} ${problem}` }] },
  });
}
