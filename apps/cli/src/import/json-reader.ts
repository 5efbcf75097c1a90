import { ImportError } from './import.errors.js';

/** A JSON object whose members are asked for by name: what is missing, of another kind or unknown is refused with its place. */
export class JsonReader {
  private constructor(
    private readonly file: string,
    private readonly path: string,
    private readonly members: Readonly<Record<string, unknown>>,
  ) {}

  static of(file: string, text: string): JsonReader {
    try {
      return JsonReader.at(file, '', JSON.parse(text));
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new ImportError(
        'IMPORT_MAPPING_INVALID',
        `${file} is not JSON: ${error.message}`,
        { file },
        { cause: error },
      );
    }
  }

  private static at(file: string, path: string, value: unknown): JsonReader {
    const reader = new JsonReader(file, path, {});
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      throw reader.refusal('', 'must be an object');
    return new JsonReader(file, path, value as Record<string, unknown>);
  }

  get names(): readonly string[] {
    return Object.keys(this.members);
  }

  has(name: string): boolean {
    return this.members[name] !== undefined;
  }

  raw(name: string): unknown {
    return this.members[name];
  }

  /** Refuses members that no mapping has: they are typing errors, and would otherwise be ignored. */
  only(...names: readonly string[]): this {
    const unknown = this.names.find((name) => !names.includes(name));
    if (unknown !== undefined)
      throw this.refusal(unknown, `is not known here; there are ${names.join(', ')}`);
    return this;
  }

  object(name: string): JsonReader {
    if (!this.has(name)) throw this.refusal(name, 'is missing');
    return JsonReader.at(this.file, this.place(name), this.members[name]);
  }

  objects(name: string): readonly JsonReader[] {
    const list = this.members[name];
    if (!Array.isArray(list) || list.length === 0)
      throw this.refusal(name, 'must be a list of at least one object');
    return list.map((value, index) =>
      JsonReader.at(this.file, `${this.place(name)}[${index}]`, value),
    );
  }

  text(name: string, fallback?: string): string {
    const value = this.members[name] ?? fallback;
    if (value === undefined) throw this.refusal(name, 'is missing');
    if (typeof value !== 'string') throw this.refusal(name, 'must be text');
    return value;
  }

  choice<Choice extends string>(
    name: string,
    choices: readonly Choice[],
    fallback?: Choice,
  ): Choice {
    const value = this.text(name, fallback);
    const choice = choices.find((candidate) => candidate === value);
    if (choice === undefined) throw this.refusal(name, `must be one of ${choices.join(', ')}`);
    return choice;
  }

  refusal(name: string, problem: string): ImportError {
    const place = this.place(name);
    return new ImportError(
      'IMPORT_MAPPING_INVALID',
      `${this.file}: ${place === '' ? 'the mapping' : place} ${problem}`,
      { file: this.file, field: place },
    );
  }

  private place(name: string): string {
    return [this.path, name].filter((part) => part !== '').join('.');
  }
}
