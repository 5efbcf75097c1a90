import { type ChildProcess, spawn } from 'node:child_process';
import { bareEnvironment } from './bare-environment.js';
import { inRepository } from './repository.js';

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  readonly arguments?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly cwd: string;
}

const OUTPUT_CHARACTERS_MAX = 200_000;

/** A real process of this project, run from dist/ by the Node that runs the tests. */
export class Child {
  readonly exited: Promise<Exit>;
  exit: Exit | undefined;
  /** Standard output and standard error, the newest part. */
  output = '';
  stdout = '';
  private readonly process: ChildProcess;

  constructor(
    readonly name: string,
    script: string,
    { arguments: given = [], environment = {}, cwd }: ChildOptions,
  ) {
    this.process = spawn(process.execPath, [inRepository(script), ...given], {
      cwd,
      env: { ...bareEnvironment(), ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.process.stdout?.on('data', (text: Buffer) => {
      this.stdout += text.toString();
      this.keep(text.toString());
    });
    this.process.stderr?.on('data', (text: Buffer) => this.keep(text.toString()));
    this.exited = new Promise((resolve, reject) => {
      this.process.on('error', reject);
      // After the streams have ended, so that the last words are there.
      this.process.on('close', (code, signal) => {
        this.exit = { code, signal };
        resolve(this.exit);
      });
    });
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  /** Sends the signal and waits for the end. */
  async end(signal: NodeJS.Signals): Promise<Exit> {
    this.process.kill(signal);
    return this.exited;
  }

  signal(signal: NodeJS.Signals): void {
    this.process.kill(signal);
  }

  private keep(text: string): void {
    this.output = (this.output + text).slice(-OUTPUT_CHARACTERS_MAX);
  }
}
