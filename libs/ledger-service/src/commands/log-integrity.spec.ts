import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from '@jest/globals';
import { TestCommandService } from './testing/command-service.js';
import { openWorld } from './testing/world.js';

let service: TestCommandService | undefined;

async function metricsOf({ url }: TestCommandService): Promise<string> {
  return (await fetch(`${url}/metrics`)).text();
}

afterEach(async () => {
  await service?.stopAndRemove();
  service = undefined;
});

describe('what recovery did when the log was opened', () => {
  it('is there of a service whose log had a damaged header', async () => {
    service = await TestCommandService.start();
    await openWorld(service);
    await service.stop();
    const { directory } = service;
    const [segment] = readdirSync(directory)
      .filter((name) => name.endsWith('.wal'))
      .sort();
    const path = join(directory, segment!);
    const bytes = readFileSync(path);
    bytes[100]! ^= 1;
    writeFileSync(path, bytes);
    service = await TestCommandService.start({}, directory);
    const text = await metricsOf(service);
    expect(text).toContain('holdfast_wal_recovered_total{kind="header-copy-repaired"} 1');
  });
});

describe('the scrubbing of a service', () => {
  it('has its health and its figures', async () => {
    service = await TestCommandService.start();
    const { body } = await service.send('GET', '/health/ready');
    expect(body).toMatchObject({ ready: true, checks: { log: 'ok', scrubbing: 'ok' } });
    const text = await metricsOf(service);
    expect(text).toMatch(/^holdfast_scrub_passes_total 0$/m);
    expect(text).toMatch(/^holdfast_scrub_last_pass_timestamp_seconds 0$/m);
  });
});
