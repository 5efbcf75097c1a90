import { describe, expect, it } from '@jest/globals';
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { inRepository } from '../support/repository.js';

/** Says what it is told to, a line for each step that the test takes. */
const COMPILER = `
  process.on('SIGUSR2', () => console.log('Found 0 errors. Watching for file changes.'));
  process.on('SIGUSR1', () => console.log('Found 2 errors. Watching for file changes.'));
  setInterval(() => undefined, 1000);
  console.log('compiler ' + process.pid);`;
const SERVICE = `
  process.on('SIGTERM', () => { console.log('stopped ' + process.pid); process.exit(0); });
  setInterval(() => undefined, 1000);
  console.log('service ' + process.pid);`;

function developing() {
  const script = `
    import { develop } from ${JSON.stringify(inRepository('bin/develop.js'))};
    develop({ compiler: ['-e', ${JSON.stringify(COMPILER)}], service: ['-e', ${JSON.stringify(SERVICE)}] });`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const exited = new Promise<number | null>((resolve) => child.on('exit', resolve));
  /** The next line that starts so, and the number in it. */
  const told = async (start: string): Promise<number> => {
    for (;;) {
      const { value, done } = await lines.next();
      if (done === true) throw new Error(`ended before "${start}"`);
      if (value.startsWith(start)) return Number(/\d+/.exec(value));
    }
  };
  return { child, exited, told };
}

async function untilGone(pid: number): Promise<void> {
  for (;;) {
    try {
      process.kill(pid, 0);
    } catch {
      return;
    }
    await setTimeout(5);
  }
}

describe('npm run dev', () => {
  it('starts the service again after what compiles, stops it once, and leaves no process behind', async () => {
    const { child, exited, told } = developing();
    const compiler = await told('compiler');
    process.kill(compiler, 'SIGUSR2');
    const first = await told('service');
    process.kill(compiler, 'SIGUSR1');
    await told('Found 2');
    process.kill(compiler, 'SIGUSR2');
    expect(await told('stopped')).toBe(first);
    const second = await told('service');
    child.kill('SIGINT');
    child.kill('SIGINT');
    expect(await told('stopped')).toBe(second);
    expect(await exited).toBe(0);
    await untilGone(second);
    await untilGone(compiler);
  });

  it('starts a service again that has ended by itself', async () => {
    const { child, exited, told } = developing();
    const compiler = await told('compiler');
    process.kill(compiler, 'SIGUSR2');
    process.kill(await told('service'), 'SIGKILL');
    process.kill(compiler, 'SIGUSR2');
    await told('service');
    child.kill('SIGTERM');
    expect(await exited).toBe(0);
  });

  it('ends with 1 where the compiler ends', async () => {
    const { exited, told } = developing();
    const compiler = await told('compiler');
    process.kill(compiler, 'SIGUSR2');
    const service = await told('service');
    process.kill(compiler, 'SIGKILL');
    expect(await exited).toBe(1);
    await untilGone(service);
  });
});
