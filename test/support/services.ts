import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { Child, type Exit } from './child.js';
import { freePorts } from './free-ports.js';
import { ROOT } from './repository.js';

/** Far longer than a busy machine needs: what is slow is not broken. */
const READY_MILLIS_MAX = 120_000;
const POLL_MILLIS = 15;
/** A process that is stopped takes connections and never answers. */
const READY_ANSWER_MILLIS_MAX = 5_000;

type Environment = Readonly<Record<string, string>>;

export type Application = 'command-service' | 'projection-worker' | 'query-service' | 'holdfast';

/** The services of one installation, as processes of their own on one data directory and fixed ports. */
export class Services {
  readonly front: string;
  readonly commands: string;
  readonly worker: string;
  readonly admin: string;
  private readonly running = new Map<string, Child>();
  private over = false;

  private constructor(
    readonly directory: string,
    private readonly environment: Environment,
    private readonly repository: string,
  ) {
    const at = (port: string): string => `http://127.0.0.1:${environment[port] ?? ''}`;
    this.front = at('HOLDFAST_HTTP_PORT');
    this.commands = at('HOLDFAST_COMMAND_HTTP_PORT');
    this.worker = at('HOLDFAST_PROJECTION_HTTP_PORT');
    this.admin = at('HOLDFAST_ADMIN_PORT');
  }

  /** In a directory of their own, which `remove` removes. Of this repository as it is built, or of another checkout. */
  static async prepare(
    environment: Environment = {},
    directory = mkdtempSync(join(tmpdir(), 'holdfast-e2e-')),
    repository = ROOT,
  ): Promise<Services> {
    const [front, command, feed, worker, admin] = (await freePorts(5)).map(String);
    const all = {
      HOLDFAST_DATA_DIRECTORY: join(directory, 'data'),
      HOLDFAST_HTTP_PORT: front ?? '',
      HOLDFAST_COMMAND_HTTP_PORT: command ?? '',
      HOLDFAST_FEED_PORT: feed ?? '',
      HOLDFAST_PROJECTION_HTTP_PORT: worker ?? '',
      HOLDFAST_ADMIN_PORT: admin ?? '',
      HOLDFAST_COMMAND_URL: `http://127.0.0.1:${command ?? ''}`,
      HOLDFAST_FEED_ADDRESS: `127.0.0.1:${feed ?? ''}`,
      HOLDFAST_FEED_REPORT_ADDRESS: `127.0.0.1:${feed ?? ''}`,
      HOLDFAST_LOG_LEVEL: 'warn',
      // Small enough for a log of several segments, which is what most logs are.
      HOLDFAST_WAL_SEGMENT_BYTES: '4MiB',
      HOLDFAST_WAL_FRAME_BYTES_MAX: '1MiB',
      ...environment,
    };
    return new Services(directory, all, repository);
  }

  /** The three services, ready. */
  static async start(environment: Environment = {}): Promise<Services> {
    const services = await Services.prepare(environment);
    try {
      await services.start('command-service');
      await services.start('projection-worker');
      await services.start('query-service');
      return services;
    } catch (error) {
      await services.remove();
      throw error;
    }
  }

  get dataDirectory(): string {
    return this.environment['HOLDFAST_DATA_DIRECTORY'] ?? '';
  }

  get walDirectory(): string {
    return join(this.dataDirectory, 'wal');
  }

  get readModelDirectory(): string {
    return join(this.dataDirectory, 'read-models');
  }

  /** Starts a process and waits until it is ready; throws with its output if it ends instead. `as` names a second one. */
  async start(
    application: Application,
    environment: Environment = {},
    as: string = application,
  ): Promise<Child> {
    const child = this.spawn(application, environment, as);
    await this.ready(child, this.addressOf(application, environment));
    return child;
  }

  /** Whether the process at the address of an application says that it is ready. */
  isReady(application: Application, environment: Environment = {}): Promise<boolean> {
    return this.readyAt(this.addressOf(application, environment));
  }

  /** Starts a process that may refuse to. */
  spawn(application: Application, environment: Environment = {}, as: string = application): Child {
    if (this.over) throw new Error(`${as} is not started any more: all of them are ended`);
    const child = new Child(as, this.program(application), {
      cwd: this.directory,
      environment: { ...this.environment, ...environment },
    });
    this.running.set(as, child);
    return child;
  }

  /** The built program of an app. */
  program(name: Application | 'cli'): string {
    return join(this.repository, `dist/apps/${name}/src/main.js`);
  }

  /** Runs the command line tool. */
  cli(given: readonly string[]): Child {
    return this.script('cli', this.program('cli'), given);
  }

  /** Runs another program of this project. */
  script(name: string, script: string, given: readonly string[]): Child {
    const child = new Child(name, script, {
      cwd: this.directory,
      arguments: given,
      environment: { HOLDFAST_URL: this.front },
    });
    const running = `${name} ${child.pid}`;
    this.running.set(running, child);
    void child.exited.then(() => this.running.delete(running));
    return child;
  }

  /** The process that runs under the name, or did until it ended by itself. */
  get(name: string): Child | undefined {
    return this.running.get(name);
  }

  /** kill -9, and again from the start. */
  async crash(name: string): Promise<void> {
    await this.end(name, 'SIGKILL');
  }

  async end(name: string, signal: NodeJS.Signals): Promise<Exit> {
    const child = this.running.get(name);
    if (child === undefined) throw new Error(`${name} was never started`);
    this.running.delete(name);
    return child.end(signal);
  }

  /** For good: whoever is about to start another one fails. */
  async endAll(): Promise<void> {
    this.over = true;
    const running = [...this.running.values()];
    this.running.clear();
    await Promise.all(running.map((child) => child.end('SIGKILL')));
  }

  /** Ends every process of this installation and removes its data. */
  async remove(): Promise<void> {
    await this.endAll();
    rmSync(this.directory, { recursive: true, force: true });
  }

  private addressOf(application: Application, environment: Environment): string {
    const variable = {
      'command-service': 'HOLDFAST_COMMAND_HTTP_PORT',
      'projection-worker': 'HOLDFAST_PROJECTION_HTTP_PORT',
      'query-service': 'HOLDFAST_HTTP_PORT',
      holdfast: 'HOLDFAST_HTTP_PORT',
    }[application];
    return `http://127.0.0.1:${environment[variable] ?? this.environment[variable] ?? ''}`;
  }

  private readyAt(address: string): Promise<boolean> {
    const signal = AbortSignal.timeout(READY_ANSWER_MILLIS_MAX);
    return fetch(`${address}/health/ready`, { signal }).then(
      async (answer) => {
        await answer.text();
        return answer.ok;
      },
      () => false,
    );
  }

  private async ready(child: Child, address: string): Promise<void> {
    const givingUpAt = performance.now() + READY_MILLIS_MAX;
    while (performance.now() < givingUpAt) {
      if (child.exit !== undefined)
        throw new Error(`${child.name} ended with ${JSON.stringify(child.exit)}:\n${child.output}`);
      const ready = await this.readyAt(address);
      if (ready) return;
      await setTimeout(POLL_MILLIS);
    }
    throw new Error(`${child.name} is not ready at ${address}:\n${child.output}`);
  }
}
