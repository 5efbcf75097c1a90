import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { EventLogReader } from '@holdfast/event-store';
import { type RecordedLedgerEvent, ledgerEventOf } from '@holdfast/ledger';
import {
  LEDGER_CODED_ERRORS,
  LEDGER_PROBLEMS,
  LedgerCommandsModule,
  LedgerWriter,
} from '@holdfast/ledger-service';
import { type HttpApplication, createHttpApplication, createLogger } from '@holdfast/platform';
import { parse } from 'csv-parse/sync';
import iconv from 'iconv-lite';
import { cpSync, existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runCli } from '../../apps/cli/src/testing/run-cli.js';
import { auditLog, balanceOf } from '../support/log-audit.js';
import { inRepository } from '../support/repository.js';

/** Worked out by hand from the file beside it. */
interface Expected {
  readonly about: string;
  readonly exit: number;
  /** Minor units, on the account's normal side. */
  readonly balances: Readonly<Record<string, string>>;
  readonly skipped: number;
  /** In their order, with a part of the reason. */
  readonly rejects: readonly ExpectedReject[];
  /** Of what was posted, in that order; null where the row has none: the present of the ledger. */
  readonly effectiveAt?: readonly (string | null)[];
  readonly message?: string;
}

interface ExpectedReject {
  readonly line: number;
  readonly reason: string;
  /** It is refused by the ledger, or for the sake of another row. */
  readonly mappable?: boolean;
  /** Why it is refused when its rejects file is imported as it is, if for another reason. */
  readonly again?: string;
}

interface MappingFile {
  readonly csv?: {
    readonly delimiter?: string;
    readonly quote?: string;
    readonly encoding?: string;
  };
}

const FILES = inRepository('test', 'data', 'imports');

function json(...path: readonly string[]): unknown {
  return JSON.parse(readFileSync(join(FILES, ...path), 'utf8'));
}

const inRejects = ({ line, reason }: ExpectedReject) => ({
  line,
  reason: expect.stringContaining(reason),
});

const expectedOf = (name: string) => json(name, 'expected.json') as Expected;

describe("an import of somebody's file", () => {
  const names = readdirSync(FILES).sort();
  let directory: string;
  let application: HttpApplication;
  let url: string;
  const startedAt = new Date().toISOString();

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'import-files-'));
    const writer = await LedgerWriter.open(join(directory, 'wal'), {
      wal: {
        create: true,
        segmentBytes: 4 * 1024 * 1024,
        frameBytesMax: 1024 * 1024,
        queuedBytesMax: 8 * 1024 * 1024,
      },
    });
    application = await createHttpApplication(LedgerCommandsModule.forRoot({ writer }), {
      logger: createLogger({ service: 'test', level: 'silent' }),
      problems: LEDGER_PROBLEMS,
      codedErrors: LEDGER_CODED_ERRORS,
      openApi: { title: 'Test', version: '0' },
    });
    url = await application.listen(0);
    cpSync(FILES, join(directory, 'files'), { recursive: true });
  });

  afterAll(async () => {
    await application.stop(1_000);
    rmSync(directory, { recursive: true });
  });

  it('is there for every kind of file that the guide has', () => {
    const guide = readFileSync(inRepository('docs', 'guides', 'import.md'), 'utf8');
    const named = [...guide.matchAll(/imports\/([0-9]{2}-[a-z0-9-]+)/g)].map(([, name]) => name);
    expect([...new Set(named)].sort()).toEqual(names);
  });

  it.each(names.map((name) => [expectedOf(name).about, name]))('%s (%s)', async (_, name) => {
    const expected = expectedOf(name);
    const run = await importing(name, 'rows.csv', 'rejects.csv');
    expect(run.messages).toContain(expected.message ?? '');
    expect(run.exit).toBe(expected.exit);
    expect(rejectsIn(name, 'rejects.csv')).toEqual(expected.rejects.map(inRejects));
    if (expected.message === undefined)
      expect(JSON.parse(run.output)).toMatchObject({ skipped: expected.skipped });
    const audit = await auditLog(join(directory, 'wal'), name);
    expect(audit.faults).toEqual([]);
    expect(
      Object.fromEntries(
        [...audit.accounts].map(([id, account]) => [id, String(balanceOf(account))]),
      ),
    ).toEqual(expected.balances);
    if (expected.effectiveAt !== undefined)
      expect(await effectiveTimes(name)).toEqual(expected.effectiveAt);
  });

  it.each(names.filter((name) => expectedOf(name).rejects.length > 0))(
    'that is the rejects file of %s, as it is, refuses what is still to be mended',
    async (name) => {
      await importing(name, 'rejects.csv', 'again.csv', '--attempt', '2', '--check');
      expect(rejectsIn(name, 'again.csv')).toEqual(
        expectedOf(name)
          .rejects.filter(({ mappable }) => mappable !== true)
          .map(({ line, reason, again = reason }) => inRejects({ line, reason: again })),
      );
    },
  );

  function importing(name: string, rows: string, rejects: string, ...more: readonly string[]) {
    const files = join(directory, 'files', name);
    return runCli(
      ...['import', join(files, rows), '--mapping', join(files, 'mapping.json')],
      ...['--ledger', name, '--url', `${url}/`, '--rejects', join(files, rejects), '--json'],
      ...more,
    );
  }

  /** What the rejects file has, if there is one. */
  function rejectsIn(name: string, file: string) {
    const path = join(directory, 'files', name, file);
    if (!existsSync(path)) return [];
    const { csv = {} } = json(name, 'mapping.json') as MappingFile;
    const { delimiter = ',', quote = '"', encoding = 'utf8' } = csv;
    const bytes = readFileSync(path);
    const marked = bytes.readUInt16BE() === 0xfeff;
    const [, ...rows]: string[][] = parse(iconv.decode(bytes, marked ? 'utf-16be' : encoding), {
      delimiter,
      quote: quote === '' ? null : quote,
      escape: quote === '' ? null : quote,
      record_delimiter: ['\r\n', '\n', '\r'],
      relax_column_count: true,
      relax_quotes: true,
    });
    return rows.map(([line, , reason]) => ({ line: Number(line), reason }));
  }

  async function effectiveTimes(ledger: string): Promise<readonly (string | null)[]> {
    const times: (string | null)[] = [];
    const reader = await EventLogReader.open(join(directory, 'wal'));
    try {
      for await (const { events } of reader.readAll())
        for (const event of events) {
          const { type, data }: RecordedLedgerEvent = ledgerEventOf(event);
          if (type === 'TransferPosted' && data.ledger === ledger)
            times.push(data.effectiveAt < startedAt ? data.effectiveAt : null);
        }
    } finally {
      await reader.close();
    }
    return times;
  }
});
