import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { type CodedError, errorCode, errorMessage } from '@holdfast/kernel';
import { type Progress, progressOn } from './progress.js';

/** Where a command writes: results to standard output, everything about the work itself to standard error. */
export class Terminal {
  private outputGone = false;

  constructor(
    private readonly output: Writable & { readonly isTTY?: boolean } = process.stdout,
    private readonly messages: NodeJS.WriteStream | Writable = process.stderr,
    private readonly given?: Readable,
    /** Called once when a result cannot be written, as on a full disk. */
    private readonly onLost: () => void = () => undefined,
  ) {
    output.on('error', (error: NodeJS.ErrnoException) => this.loseOutput(error));
    // Nobody could be told.
    messages.on('error', () => undefined);
  }

  private loseOutput(error: NodeJS.ErrnoException): void {
    if (this.outputGone) return;
    this.outputGone = true;
    if (error.code === 'EPIPE') return;
    this.note(`holdfast: ${error.message}: the result is not written`);
    this.onLost();
  }

  /** Whether somebody reads the result: `holdfast wal verify … | head` closes the pipe early. The work goes on to its own exit code, which is what a script asks for. */
  get isRead(): boolean {
    return !this.outputGone;
  }

  /** Standard input, which is opened by whoever asks for it. */
  get input(): Readable {
    return this.given ?? process.stdin;
  }

  /** One line of the result. Resolves when there is room for more, so that a slow reader is not buffered for. */
  async line(text = ''): Promise<void> {
    if (this.outputGone || this.output.write(`${text}\n`)) return;
    await once(this.output, 'drain').catch((error: unknown) => {
      if (!this.outputGone) throw error;
    });
  }

  json(value: unknown, indent?: number): Promise<void> {
    return this.line(JSON.stringify(value, undefined, indent));
  }

  /** A sentence about the work. */
  note(text: string): void {
    this.messages.write(`${text}\n`);
  }

  /** The code first: it is what an operator searches for. Details in full, because a message may be reworded. */
  failure(error: unknown): void {
    const code = errorCode(error);
    const message = errorMessage(error);
    // What the operating system says begins with its code.
    const named = code === undefined || message.startsWith(`${code}:`);
    this.note(`holdfast: ${named ? '' : `${code}: `}${message}`);
    const details = Object.entries((error as Partial<CodedError>).details ?? {});
    for (const [name, value] of details) if (value !== undefined) this.note(`  ${name}: ${value}`);
  }

  /** A bar where a person looks on, nothing in a pipe or a log file. */
  progress(format: string): Progress {
    return progressOn(this.messages, format);
  }
}
