import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { assert } from '@holdfast/kernel';

export type BareKind = 'nest' | 'fastify' | 'pipeline';

const NAMES: Readonly<Record<BareKind, string>> = {
  nest: 'Nest that writes nothing',
  fastify: 'Fastify alone',
  pipeline: 'bare pipeline',
};

/** One of the servers that the service is compared with. */
export class BareServer {
  readonly name: string;
  readonly pid: number;

  private constructor(
    readonly kind: BareKind,
    readonly address: string,
    private readonly process: ChildProcess,
  ) {
    this.name = NAMES[kind];
    this.pid = process.pid ?? 0;
  }

  static async start(kind: BareKind, directory: string): Promise<BareServer> {
    const program = fileURLToPath(new URL('./bare-servers.js', import.meta.url));
    const child = fork(program, [kind, directory]);
    const ended = once(child, 'exit').then(() => undefined);
    const started = once(child, 'message') as Promise<[{ readonly address: string }]>;
    const message = await Promise.race([started, ended]);
    assert(message !== undefined, `the server of ${kind} starts`);
    return new BareServer(kind, message[0].address, child);
  }

  end(): void {
    this.process.kill('SIGKILL');
  }
}
