/** A subject with places for what a message says: `holdfast.{ledger}.{type}`. */
export class SubjectTemplate {
  private readonly tokens: readonly string[];

  /** Throws a `RangeError` for what no subject can be. */
  constructor(readonly text: string) {
    this.tokens = text.split('.');
    for (const token of this.tokens)
      if (!/^(\{[a-zA-Z]+\}|[^\s.*>{}]+)$/.test(token))
        throw new RangeError(
          `${JSON.stringify(text)} is no template of a subject: tokens between dots, each a word or a {name}`,
        );
  }

  /** The subject of a message. What is not there is `%`. */
  filled(values: Readonly<Record<string, unknown>>): string {
    return this.tokens
      .map((token) => (token.startsWith('{') ? encoded(values[token.slice(1, -1)]) : token))
      .join('.');
  }

  /** What every message of this template matches. */
  get wildcard(): string {
    return this.tokens.map((token) => (token.startsWith('{') ? '*' : token)).join('.');
  }
}

/** As in an address, and the dot, the star and the others that mean something in a subject too: one token, whatever is in it. */
function encoded(value: unknown): string {
  if (typeof value !== 'string' && typeof value !== 'number') return '%';
  const text = encodeURIComponent(String(value).toWellFormed()).replace(
    /[.*!'()~]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
  return text === '' ? '%' : text;
}

/** The value of a header: printable, on one line; everything else as in an address. */
export function headerText(text: string): string {
  return text.toWellFormed().replace(/[^ -~]|%/gu, (character) => encodeURIComponent(character));
}
