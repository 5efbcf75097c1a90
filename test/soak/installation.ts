import { existsSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Child, Exit } from '../support/child.js';
import { Services } from '../support/services.js';
import { Doubt } from './doubt.js';
import type { Tally } from './tally.js';

export const PROCESSES = ['command-service', 'projection-worker', 'query-service'] as const;
export type ProcessName = (typeof PROCESSES)[number];

/** How long a busy machine may take to start a process, over and over if it must. */
const READY_MILLIS_MAX = 180_000;
const POLL_MILLIS = 25;
const RESTART_PAUSE_MILLIS = 300;
/** Data that is damaged, and a configuration that is wrong: no fault of ours makes these. */
const NEVER = new Set<number | null>([65, 78]);
/** The next start will do better. */
const FAILED = 70;
/** What a damaged database does to a process that maps it, when it is not found out before. */
const CRASHES: ReadonlySet<NodeJS.Signals | null> = new Set(['SIGSEGV', 'SIGBUS', 'SIGABRT']);
const LAST_WORDS_CHARACTERS_MAX = 4_000;

/** What may be tolerated of processes that end by themselves. */
type Tolerance = 'nothing' | 'full-disk' | 'descriptors' | 'power-loss' | 'read-only';

/**
 * The three services as containers would run them. A process that ends by itself is a doubt, but for what a full or failing disk, or a database that was
 * damaged, may do to it: then it is started again, as a supervisor would, until it stays.
 */
export class Installation {
  private tolerance: Tolerance = 'nothing';
  /** The directory of a database that was damaged: a rebuild gives the state another one. */
  private suspected: string | undefined;
  /** Started again after they have ended by themselves. */
  private readonly restarting = new Set<ProcessName>();

  constructor(
    readonly services: Services,
    private readonly tally: Tally,
    private readonly onDoubt: (doubt: Doubt) => void,
  ) {}

  async startAll(): Promise<void> {
    await Promise.all(PROCESSES.map((name) => this.start(name)));
  }

  /** Starts a process and waits until it is ready. */
  async start(name: ProcessName): Promise<void> {
    this.spawn(name);
    await this.whenReady(name);
  }

  spawn(name: ProcessName): void {
    const startedAt = performance.now();
    const child = this.services.spawn(name);
    void child.exited.then((exit) => this.ended(name, child, exit));
    if (name === 'command-service')
      void this.isReadyAs(name, child).then((ready) => {
        if (ready) this.tally.recoveryMillis.push(performance.now() - startedAt);
      });
  }

  async whenReady(name: ProcessName): Promise<void> {
    const givingUpAt = performance.now() + READY_MILLIS_MAX;
    while (performance.now() < givingUpAt) {
      const child = this.services.get(name);
      if (child !== undefined && (await this.isReadyAs(name, child))) return;
      await setTimeout(POLL_MILLIS);
    }
    throw new Doubt(`${name} does not become ready: ${this.lastWords(name)}`);
  }

  async kill(...names: readonly ProcessName[]): Promise<void> {
    for (const name of names) {
      this.restarting.delete(name);
      this.tally.count(this.tally.kills, name);
    }
    await Promise.all(
      names
        .filter((name) => this.services.get(name) !== undefined)
        .map((name) => this.services.crash(name)),
    );
  }

  /** Tells it to stop, which must succeed. */
  async stop(name: ProcessName): Promise<void> {
    const child = this.services.get(name);
    const exit = await this.services.end(name, 'SIGTERM');
    if (exit.code !== 0)
      throw new Doubt(`${name} was told to stop and ended with ${told(exit)}: ${wordsOf(child)}`);
  }

  async pause(name: ProcessName, millis: number): Promise<void> {
    const child = this.services.get(name);
    if (child === undefined) return;
    this.tally.count(this.tally.pauses, name);
    child.signal('SIGSTOP');
    await setTimeout(millis);
    child.signal('SIGCONT');
  }

  async whenAllReady(): Promise<void> {
    await Promise.all(PROCESSES.map((name) => this.whenReady(name)));
  }

  /** While `work` runs, processes may end by themselves. */
  async tolerating(tolerance: Tolerance, work: () => Promise<void>): Promise<void> {
    this.tolerance = tolerance;
    await work();
    this.tolerance = 'nothing';
  }

  /** As long as the directory is there, the command service may end over what it finds in it. */
  suspect(databaseDirectory: string | undefined): void {
    this.suspected = databaseDirectory;
  }

  lastWords(name: ProcessName): string {
    return wordsOf(this.services.get(name));
  }

  private ended(name: ProcessName, child: Child, exit: Exit): void {
    // It was we who ended it, or another one has its place.
    if (this.services.get(name) !== child) return;
    if (name === 'command-service' && this.isOfDamage(child, exit)) {
      this.tally.count(this.tally.endings, `${name} over a damaged state ${told(exit)}`);
      void this.restart(name, child);
      return;
    }
    const isSupervised = this.tolerance === 'full-disk' || this.tolerance === 'descriptors';
    const intolerable = isSupervised && NEVER.has(exit.code);
    if (this.tolerance === 'nothing' || intolerable) {
      this.onDoubt(new Doubt(`${name} ended by itself with ${told(exit)}: ${wordsOf(child)}`));
      return;
    }
    this.tally.count(this.tally.endings, `${name} ${told(exit)}`);
    if (isSupervised) void this.restart(name, child);
  }

  private isOfDamage(child: Child, exit: Exit): boolean {
    if (this.suspected === undefined || !existsSync(this.suspected)) return false;
    const isFound = exit.code === FAILED && child.output.includes('EVENT_STATE_DAMAGED');
    return isFound || CRASHES.has(exit.signal);
  }

  private async restart(name: ProcessName, ended: Child): Promise<void> {
    this.restarting.add(name);
    await setTimeout(RESTART_PAUSE_MILLIS);
    // Killed meanwhile, or started by somebody else.
    if (!this.restarting.delete(name) || this.services.get(name) !== ended) return;
    this.spawn(name);
  }

  /** True once it is ready, false when it has ended or another has its place. */
  private async isReadyAs(name: ProcessName, child: Child): Promise<boolean> {
    const isStill = (): boolean => child.exit === undefined && this.services.get(name) === child;
    while (isStill()) {
      if (await this.services.isReady(name)) return isStill();
      await setTimeout(POLL_MILLIS);
    }
    return false;
  }
}

function told({ code, signal }: Exit): string {
  return signal ?? `exit code ${code ?? 'unknown'}`;
}

function wordsOf(child: Child | undefined): string {
  return child === undefined ? 'it does not run' : child.output.slice(-LAST_WORDS_CHARACTERS_MAX);
}
