import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { Services } from '../../support/services.js';

/*
 * Commands do not depend on the read model: whatever befalls it, or the thread that fills it, they go on, health says what is wrong, and the process still ends when it is told to.
 */
describe('a read model in trouble, in one process', () => {
  let services: Services;

  beforeEach(async () => {
    services = await Services.prepare();
  });
  afterEach(() => services.remove());

  const open = async (ledger: string) =>
    (await fetch(`${services.front}/v1/ledgers/${ledger}`, { method: 'PUT' })).status;
  const query = async () => (await fetch(`${services.front}/v1/ledgers`)).status;
  const projection = async () => {
    const ready = await fetch(`${services.front}/health/ready`);
    const { checks } = (await ready.json()) as { checks: Record<string, string> };
    return `${ready.status} ${checks['projection']}`;
  };
  /** Also before the process listens. */
  const tells = async (pattern: RegExp, withinMillis: number): Promise<boolean> => {
    const endsAtMillis = performance.now() + withinMillis;
    while (!pattern.test(await projection().catch(() => ''))) {
      if (performance.now() > endsAtMillis) return false;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return true;
  };
  const until = (pattern: RegExp) => tells(pattern, Infinity);

  it('starts without the volume of the read models, and goes on by itself once it is there', async () => {
    mkdirSync(services.dataDirectory);
    writeFileSync(services.readModelDirectory, '');
    services.spawn('holdfast');
    await until(/^503 store-unavailable/);
    expect(await open('first')).toBe(201);
    expect(await query()).toBe(503);
    rmSync(services.readModelDirectory);
    await until(/^200 ok/);
    expect(await query()).toBe(200);
    expect(await services.end('holdfast', 'SIGTERM')).toEqual({ code: 0, signal: null });
  });

  it('never shows what an older copy of the log does not hold, with read models and state of the time after it', async () => {
    const names = async () => {
      const listed = (await (await fetch(`${services.front}/v1/ledgers`)).json()) as {
        items?: readonly { readonly name?: string }[];
      };
      return listed.items?.length;
    };
    const copy = `${services.walDirectory}.copy`;
    await services.start('holdfast');
    expect(await open('kept')).toBe(201);
    await services.end('holdfast', 'SIGTERM');
    cpSync(services.walDirectory, copy, { recursive: true });
    await services.start('holdfast');
    for (const lost of ['lost-1', 'lost-2', 'lost-3']) expect(await open(lost)).toBe(201);
    while ((await names()) !== 4) await new Promise((resolve) => setTimeout(resolve, 20));
    await services.end('holdfast', 'SIGTERM');
    rmSync(services.walDirectory, { recursive: true });
    renameSync(copy, services.walDirectory);
    services.spawn('holdfast');
    const seen = new Set<number | undefined>();
    const watching = setInterval(
      () =>
        void names().then(
          (count) => seen.add(count),
          () => 0,
        ),
      5,
    );
    await until(/^200 ok/);
    clearInterval(watching);
    expect(await names()).toBe(1);
    // Undefined: 503.
    expect([...seen].filter((count) => count !== undefined && count !== 1)).toEqual([]);
    expect(await open('kept')).toBe(200);
    expect(await open('lost-1')).toBe(201);
  }, 180_000);

  it('takes commands, is not ready, and ends when told to, while its thread hangs in a call that never returns', async () => {
    await services.start('holdfast');
    expect(await open('first')).toBe(201);
    const mark = join(services.walDirectory, 'WATERMARK');
    let pipes = 0;
    /*
     * The reader opens the name again, and a pipe that nobody writes to is opened for ever: until the writer writes, which opens what has the name then. A quiet writer writes once
     * more, a moment after its last commit: a thread that has not hung by the time that health would say so has met a pipe that is open at both ends, and gets another one.
     */
    const hang = async (): Promise<void> => {
      let isHung = false;
      while (!isHung) {
        renameSync(mark, `${mark}.${(pipes += 1)}`);
        execFileSync('mkfifo', [mark]);
        isHung = await tells(/^503 hung: it has told nothing/, 25_000);
      }
    };
    await hang();
    expect(await open('second')).toBe(201);
    await until(/^503 feed-unavailable/);
    await hang();
    expect(await services.end('holdfast', 'SIGTERM')).toEqual({ code: null, signal: 'SIGKILL' });
    renameSync(`${mark}.1`, mark);
    await services.start('holdfast');
    await until(/^200 ok/);
    expect(await open('second')).toBe(200);
  }, 180_000);
});
