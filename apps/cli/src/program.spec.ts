import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { type StreamVersion, WalEventLog } from '@holdfast/event-store';
import { Wal } from '@holdfast/wal';
import { cpSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { program } from './program.js';
import { Terminal } from './terminal/terminal.js';
import { parseCli, runCli } from './testing/run-cli.js';

const EVENTS = 30;
const LIMITS = { frameBytesMax: 16 * 1024, segmentBytes: 32 * 1024 };

describe('the command line', () => {
  let directory: string;
  let log: string;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'cli-'));
    log = join(directory, 'log');
    const events = await WalEventLog.open(log, { wal: { create: true, ...LIMITS } });
    for (let number = 1; number <= EVENTS; number++) {
      const event = {
        id: `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`,
        type: 'Counted',
        schemaVersion: 1,
        data: { number, filler: 'x'.repeat(2_000) },
      };
      const expectedVersion = number === 1 ? 'no-stream' : ((number - 1) as StreamVersion);
      await events.appendDurably({
        appends: [{ stream: 'counter', expectedVersion, events: [event] }],
      });
    }
    await events.close();
  });

  afterAll(() => rmSync(directory, { recursive: true }));

  it('shows what a log holds', async () => {
    const facts = JSON.parse((await runCli('wal', 'stats', log, '--json')).output) as {
      segments: { file: string }[];
    };
    expect(facts).toMatchObject({ firstSequence: 1, durableSequence: EVENTS, records: EVENTS });
    expect(facts.segments.map(({ file }) => file)).toEqual(
      readdirSync(log).filter((name) => name.endsWith('.wal')),
    );
    const { output, exit } = await runCli('wal', 'stats', log);
    expect(exit).toBe(0);
    expect(output).toContain(`sequences  1 to ${EVENTS}`);
  });

  it('dumps frames and events, those of a range, as lines of JSON', async () => {
    const { output, exit } = await runCli('wal', 'dump', log, '--from', '5', '--to', '9', '--json');
    const lines = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Dumped);
    const shown = lines.filter(({ kind }) => kind === 'event').map(({ event }) => event);
    expect(exit).toBe(0);
    expect(shown.map((event) => [event!.position, event!.type, event!.data.number])).toEqual(
      [5, 6, 7, 8, 9].map((number) => [number, 'Counted', number]),
    );
    expect(lines[0]).toMatchObject({ kind: 'frame', firstSequence: 5, recordCount: 1 });
  });

  it('dumps no more records than it is asked for', async () => {
    const { output } = await runCli('wal', 'dump', log, '--limit', '3');
    expect(output.match(/Counted v1 {2}counter #\d/g)).toHaveLength(3);
  });

  it('dumps records that are no events as bytes', async () => {
    const other = join(directory, 'other');
    const wal = await Wal.open(other, { create: true, ...LIMITS });
    await wal.append([Buffer.from('plain')]).durable;
    await wal.close();
    const { output, exit } = await runCli('wal', 'dump', other, '--json');
    expect(exit).toBe(0);
    expect(JSON.parse(output.split('\n')[1]!)).toMatchObject({
      kind: 'record',
      sequence: 1,
      bytes: 5,
      hex: Buffer.from('plain').toString('hex'),
    });
  });

  it('finds a sound log sound', async () => {
    const { exit, output } = await runCli('wal', 'verify', log, '--json');
    expect(exit).toBe(0);
    expect(JSON.parse(output)).toMatchObject({ sound: true, records: EVENTS, problems: [] });
  });

  it('names the damage of a log, and shows what comes before it', async () => {
    const damaged = join(directory, 'damaged');
    cpSync(log, damaged, { recursive: true });
    const file = join(
      damaged,
      readdirSync(damaged).find((name) => name.endsWith('.wal'))!,
    );
    const bytes = readFileSync(file);
    bytes[bytes.indexOf('"number":4') + 3]! ^= 1;
    writeFileSync(file, bytes);

    const verified = await runCli('wal', 'verify', damaged);
    expect(verified.exit).toBe(1);
    expect(verified.output).toContain(`file: ${file}`);
    expect(verified.output).toMatch(/offset: \d+\n {2}firstSequence: 4\n/);

    const dumped = await runCli('wal', 'dump', damaged);
    expect(dumped.exit).toBe(65);
    expect(dumped.output.match(/Counted/g)).toHaveLength(3);
    expect(dumped.messages).toContain('holdfast: WAL_CORRUPT: ');
    expect(dumped.messages).toContain(`  file: ${file}\n`);
    expect(dumped.messages).toContain('  firstSequence: 4\n');
  });

  it('says what it could not verify, and ends with a code of its own', async () => {
    const copied = join(directory, 'copied');
    cpSync(log, copied, { recursive: true });
    rmSync(join(copied, 'WATERMARK'));
    const { exit, output } = await runCli('wal', 'verify', copied);
    expect(exit).toBe(2);
    expect(output).toMatch(/^NOT VERIFIED No WATERMARK/);
    expect(output).toMatch(new RegExp(`NOT all verified: ${EVENTS} records`));
    const { output: json } = await runCli('wal', 'verify', copied, '--json');
    expect(JSON.parse(json)).toMatchObject({ sound: true, complete: false, records: EVENTS });
    const missing = await runCli('wal', 'verify', copied, '--archive', '/nowhere');
    expect(missing.exit).toBe(66);
  });

  it('finds a log that cannot even be opened unsound', async () => {
    const damaged = join(directory, 'no manifest');
    cpSync(log, damaged, { recursive: true });
    writeFileSync(join(damaged, 'MANIFEST'), 'nonsense');
    const { exit, messages } = await runCli('wal', 'verify', damaged);
    expect([exit, messages.includes('WAL_MANIFEST_DAMAGED')]).toEqual([1, true]);
  });

  it('says that no state was compared where there is none, and not that it is sound', async () => {
    const data = join(directory, 'bare');
    cpSync(log, join(data, 'wal'), { recursive: true });
    const { exit, output } = await runCli('state', 'verify', '--data', data);
    expect(exit).toBe(2);
    expect(output).toMatch(
      /^NOT VERIFIED .* no state was compared.\nNOT VERIFIED .*\nNothing was compared/,
    );
    expect(output).not.toMatch(/sound/i);
  });

  it('takes the data directory for the log in it', async () => {
    const data = join(directory, 'around');
    cpSync(log, join(data, 'wal'), { recursive: true });
    for (const command of ['stats', 'verify', 'dump'])
      expect((await runCli('wal', command, data)).exit).toBe(0);
  });

  it('has no help line that is wider than the terminal', async () => {
    for (const width of [80, 120]) {
      const text = await helpText(width);
      expect(text).toContain('interrupted');
      const longest = Math.max(...text.split('\n').map((line) => line.length));
      expect(longest).toBeLessThanOrEqual(width);
    }
  });

  it('names the service that does not answer', async () => {
    const { messages } = await runCli('health', 'http://127.0.0.1:9');
    expect(messages).toMatch(
      /^holdfast: SERVICE_UNREACHABLE: http:\/\/127\.0\.0\.1:9 does not answer: /,
    );
  });

  it('says whether a service is ready, for people and as JSON', async () => {
    const server = createServer((_request, answer) => {
      answer.statusCode = 503;
      answer.end('{"ready":false,"checks":{"log":"ok","disk":"full"}}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const told = await runCli('health', url);
    const json = await runCli('health', url, '--json');
    server.close();
    expect([told.exit, told.output]).toEqual([
      1,
      `${url} is NOT ready.\n  log: ok\n  disk: full\n`,
    ]);
    expect([json.exit, JSON.parse(json.output)]).toEqual([
      1,
      { url, ready: false, checks: { log: 'ok', disk: 'full' } },
    ]);
  });

  it.each([
    [200, '<html>Welcome</html>'],
    [200, '{"status":"ok"}'],
    [200, '7'],
  ])('does not take an answer %i %s for a service that is ready', async (status, body) => {
    const server = createServer((_request, answer) => {
      answer.statusCode = status;
      answer.end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const told = await runCli('health', url);
    const json = await runCli('health', url, '--json');
    server.close();
    expect(told).toMatchObject({
      exit: 1,
      output: expect.stringMatching(/NOT ready[^]*no service/),
    });
    expect(json.exit).toBe(1);
    expect(JSON.parse(json.output)).toMatchObject({ url, ready: false });
  });

  it('does not say twice what the operating system has said', async () => {
    const { messages } = await runCli(
      'import',
      '/nowhere.csv',
      '--ledger',
      'a',
      '--mapping',
      '/no',
    );
    expect(messages).toContain('ENOENT');
    expect(messages).not.toContain('ENOENT: ENOENT');
  });

  it('says which version it is', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
    expect(program(new Terminal(), () => undefined).version()).toBe(version);
    await expect(parseCli('--version')).rejects.toMatchObject({ code: 'commander.version' });
  });

  it('changes nothing in a log that it looks at', async () => {
    const before = readdirSync(log);
    for (const command of ['stats', 'verify', 'dump']) await runCli('wal', command, log);
    expect(readdirSync(log)).toEqual(before);
  });

  it.each([
    [['wal', 'stats', '/nowhere'], 66],
    [['import', '/nowhere.csv', '--ledger', 'main', '--mapping', '/nowhere.json'], 66],
    [['health', 'http://127.0.0.1:9'], 69],
  ])('%j ends with %i', async (line, exit) => {
    expect((await runCli(...line)).exit).toBe(exit);
  });

  it.each([
    [['wal', 'dump', '/x', '--from', '0']],
    [['wal', 'dump', '/x', '--limit', 'all']],
    [['import', 'a.csv', '--ledger', 'main']],
    [['import', 'a.csv', '--ledger', 'main', '--mapping', 'm', '--batch', '2']],
    [['import', 'a.csv', '--ledger', 'main', '--mapping', 'm', '--batch', '1000']],
    [['import', 'a.csv', '--ledger', 'main', '--mapping', 'm', '--url', 'http://a/v1']],
    [['health', '127.0.0.1:7400']],
    [['jobs', '--url', 'ftp://127.0.0.1']],
    [['restore', 'a', 'b', '--to-time', '2026-02-31T00:00:00Z']],
    [['unknown']],
  ])('refuses %j before it does anything', async (line) => {
    await expect(parseCli(...line)).rejects.toMatchObject({
      code: expect.stringMatching(/^commander\./),
    });
  });
});

/** The help of the whole tool on a terminal of this width. */
async function helpText(width: number): Promise<string> {
  let text = '';
  const tool = program(new Terminal(), () => undefined).configureOutput({
    getOutHelpWidth: () => width,
    writeOut: (part) => (text += part),
  });
  await tool.parseAsync(['--help'], { from: 'user' }).catch(() => undefined);
  return text;
}

interface Dumped {
  readonly kind: string;
  readonly event?: { position: number; type: string; data: { number: number } };
}
