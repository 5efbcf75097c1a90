import { afterEach, describe, expect, it } from '@jest/globals';
import { Module } from '@nestjs/common';
import { ServiceLifecycle } from '../lifecycle/service-lifecycle.js';
import { Metrics } from '../metrics/metrics.js';
import { type Served, serve } from '../testing/served.js';
import { Health, type HealthCheck, type HealthFact } from './health.js';

let checks: Record<string, HealthCheck> = {};
let facts: Record<string, HealthFact> = {};
let figures: Record<string, () => number | undefined | Promise<number>> = {};
const hung = () => new Promise<number>(() => undefined);

@Module({})
class PartModule {
  constructor(health: Health, metrics: Metrics) {
    for (const [name, check] of Object.entries(checks)) health.register(name, check);
    for (const [name, fact] of Object.entries(facts)) health.tell(name, fact);
    metrics.gaugeOf('holdfast_test_depth', 'A figure that is asked for.', () => 7);
    for (const [name, read] of Object.entries(figures)) metrics.gaugeOf(name, 'A figure.', read);
    metrics.counterOf('holdfast_test_total', 'A total that is kept elsewhere.', () => 9);
  }
}

let served: Served | undefined;

afterEach(async () => {
  facts = figures = {};
  await served?.application.stop(0);
});

async function readiness(registered: Record<string, HealthCheck>) {
  checks = registered;
  served = await serve(PartModule);
  const response = await fetch(`${served.url}/health/ready`);
  return [response.status, await response.json()];
}

describe('readiness', () => {
  it('is green when every part is', async () => {
    expect(await readiness({ wal: () => true, feed: () => Promise.resolve(true) })).toEqual([
      200,
      { ready: true, checks: { wal: 'ok', feed: 'ok' } },
    ]);
  });

  it('is red when one part is not, and says why', async () => {
    const broken: HealthCheck = () => {
      throw new Error('cannot look');
    };
    expect(
      await readiness({ wal: () => true, feed: () => 'no event for 9 s', disk: broken }),
    ).toEqual([
      503,
      { ready: false, checks: { wal: 'ok', feed: 'no event for 9 s', disk: 'cannot look' } },
    ]);
  });

  it('is red when a part gives no answer in time', async () => {
    expect(await readiness({ stuck: () => hung().then(() => true) })).toEqual([
      503,
      { ready: false, checks: { stuck: 'no answer within 1000 ms' } },
    ]);
  });

  it('is red after a failure, while liveness stays green until the process ends', async () => {
    expect((await readiness({}))[0]).toBe(200);
    served!.application.lifecycle.fatal(new Error('poison'));
    const ready = await fetch(`${served!.url}/health/ready`);
    expect([ready.status, await ready.json()]).toEqual([
      503,
      { ready: false, checks: { service: 'the service has failed and is about to end' } },
    ]);
    expect((await fetch(`${served!.url}/health/live`)).status).toBe(200);
  });

  it('stays green when a part works and something is wrong with it, and says what', async () => {
    expect(
      await readiness({ wal: () => true, scrubbing: () => ({ degraded: 'a segment differs' }) }),
    ).toEqual([
      200,
      { ready: true, checks: { wal: 'ok', scrubbing: 'degraded: a segment differs' } },
    ]);
  });

  it('tells the facts that are known, and is not harmed by those that are not', async () => {
    facts = {
      position: () => 7,
      head: () => Promise.resolve(undefined),
      lag: () => {
        throw new Error('nobody knows');
      },
      late: () => new Promise(() => undefined),
    };
    expect(await readiness({})).toEqual([200, { ready: true, checks: {}, facts: { position: 7 } }]);
  });

  it('takes every name once', () => {
    const health = new Health(new ServiceLifecycle());
    health.register('wal', () => true);
    expect(() => health.register('wal', () => true)).toThrow('registered once');
  });
});

describe('metrics', () => {
  it('are asked for when they are collected', async () => {
    await readiness({});
    const collect = async () => (await fetch(`${served!.url}/metrics`)).text();
    await collect();
    expect(await collect()).toMatch(/^holdfast_test_depth 7$[^]*^holdfast_test_total 9$/m);
  });

  it('are told without those that are late, unknown, or cannot be read', async () => {
    figures = {
      holdfast_test_hung: hung,
      holdfast_test_unknown: () => undefined,
      holdfast_test_broken: () => {
        throw new Error('cannot look');
      },
    };
    await readiness({});
    const response = await fetch(`${served!.url}/metrics`);
    const text = await response.text();
    expect(response.status).toBe(200);
    expect(text).toMatch(/^holdfast_test_depth 7$/m);
    expect(text).not.toMatch(/^holdfast_test_(hung|unknown|broken)/m);
  });
});
