import { type CommandWriter, type PendingOutcome, openCommandWriter } from '@holdfast/commands';
import type { RecordedEvent } from '@holdfast/event-store';
import { errorCode } from '@holdfast/kernel';
import { runs } from '@holdfast/kernel/testing';
import { type Answer, type LedgerCommand, type LedgerView, ledgerModel } from '@holdfast/ledger';
import {
  TEST_LEDGER,
  TEST_START_MILLIS,
  commandId,
  ledgerCommands,
  worldSetUp,
} from '@holdfast/ledger/testing';
import { SeededRandom, SimulatedFileSystem, simulatedOptions } from '@holdfast/wal/testing';
import type { Sequence } from '@holdfast/wal';
import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { Attempt, PendingOutcome as OldPendingOutcome } from './command-outcome.js';
import { LedgerWriter } from './ledger-writer.js';

type NewWriter = CommandWriter<LedgerCommand, Answer, LedgerView>;

const LOG = '/log';
const CODES: Readonly<Record<string, string>> = {
  LEDGER_UNAVAILABLE: 'COMMANDS_UNAVAILABLE',
  LEDGER_OUTCOME_UNKNOWN: 'COMMAND_OUTCOME_UNKNOWN',
  LEDGER_ANSWER_REMOVED: 'COMMAND_ANSWER_REMOVED',
};
const counts: Record<string, number> = {};

/** One writer of the two, on a disk, a clock and a row of ids of its own that are like the other's. */
class Side<Writer extends LedgerWriter | NewWriter> {
  private ids = 0;
  private readonly random = new SeededRandom(1);
  nowMillis = TEST_START_MILLIS;
  monotonicMillis = 0;
  fileSystem = SimulatedFileSystem.on();
  writer!: Writer;

  constructor(private readonly opened: (options: object) => Promise<Writer>) {}

  async open(keyRetentionMillis: number | undefined): Promise<void> {
    this.writer = await this.opened({
      wal: {
        ...simulatedOptions(this.fileSystem),
        segmentBytes: 256 * 1024,
        frameBytesMax: 64 * 1024,
        randomBytes: (length: number) => this.random.bytes(length),
      },
      clock: { nowMillis: () => this.nowMillis, monotonicMillis: () => this.monotonicMillis },
      clockBounds: { skewMillisMax: 10_000, gapMillisMax: 1_000_000_000 },
      keyRetentionMillis,
      newId: () => commandId((this.ids += 1)),
    });
  }

  async restart(keyRetentionMillis: number | undefined): Promise<void> {
    await this.writer.close().catch(() => undefined);
    this.fileSystem = this.fileSystem.sibling();
    await this.open(keyRetentionMillis);
  }
}

interface Step {
  readonly command: LedgerCommand;
  readonly actor: string;
  readonly key: number;
  readonly bodyHash: string;
  readonly form: 'keyed' | 'keyless' | 'dry run' | 'malformed' | 'malformed attempt';
  readonly laterMillis: number;
  readonly together: boolean;
  readonly then: 'go on' | 'close' | 'kill' | 'jump';
}

const steps: fc.Arbitrary<Step> = fc.record({
  command: ledgerCommands,
  actor: fc.constantFrom('shop', 'bank'),
  key: fc.integer({ min: 1, max: 30 }),
  bodyHash: fc.constantFrom('h1', 'h1', 'h1', 'h2'),
  form: fc.oneof(
    { weight: 16, arbitrary: fc.constant('keyed' as const) },
    fc.constantFrom('keyless', 'dry run', 'malformed', 'malformed attempt'),
  ),
  laterMillis: fc.integer({ min: -2_000, max: 5_000 }),
  together: fc.boolean(),
  then: fc.oneof(
    { weight: 40, arbitrary: fc.constant('go on' as const) },
    fc.constantFrom('close', 'kill', 'jump'),
  ),
});

function attemptOf(step: Step): Attempt {
  const { actor, bodyHash, form } = step;
  const idempotency = { key: `key-${step.key}`, bodyHash };
  switch (form) {
    case 'keyless':
      return { actor, correlationId: 'trace' };
    case 'dry run':
      return { actor, dryRun: true, ...(step.key % 2 === 0 && { idempotency }) };
    case 'malformed attempt':
      return step.key % 2 === 0
        ? { actor: 'a b', idempotency }
        : { actor, idempotency: { key: '', bodyHash } };
    default:
      return { actor, idempotency, ...(step.key % 3 === 0 && { correlationId: 'trace' }) };
  }
}

type Told = readonly [kind: string, told: unknown];

/** What came of it, an error by its code; of what the new one says more, only what the old one said. */
async function told(outcome: () => Promise<{ readonly kind: string }>): Promise<Told> {
  try {
    const { outcome: label, ...rest } = (await outcome()) as { kind: string; outcome?: string };
    if (label !== undefined)
      expect(label === 'rejected').toBe(JSON.stringify(rest).includes('"kind":"rejection"'));
    return [rest.kind, rest];
  } catch (error) {
    const code = errorCode(error) ?? String(error);
    return [code in CODES ? CODES[code]! : code, (error as { details?: unknown }).details];
  }
}

/** Every record of the log as it is on the disk: as JSON of its bytes, so that a difference shows where it is. */
function bytesOf({ log }: LedgerWriter | NewWriter): string[] {
  return Array.from({ length: log.durablePosition }, (_, index) => {
    const record = log.wal.recordAt((index + 1) as Sequence);
    return `${record?.endsBatch} ${Buffer.from(record?.payload ?? []).toString('latin1')}`;
  });
}

async function eventsOf({ log }: LedgerWriter | NewWriter): Promise<RecordedEvent[]> {
  const events: RecordedEvent[] = [];
  for await (const batch of log.readAll()) events.push(...batch.events);
  return events;
}

it('the general writer writes the log that the ledger’s own wrote, and answers alike', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(steps, { minLength: 1, maxLength: 60, size: '+1' }),
      fc.constantFrom(undefined, 60_000),
      async (history, retention) => {
        const old = new Side<LedgerWriter>((options) => LedgerWriter.open(LOG, options));
        const general = new Side<NewWriter>((options) =>
          openCommandWriter(LOG, ledgerModel, options),
        );
        const both = [old, general] as const;
        await Promise.all(both.map((side) => side.open(retention)));
        const setUp = worldSetUp.map((command, index): Step => ({
          ...{ command, actor: 'shop', key: 100 + index, bodyHash: 'h1', form: 'keyed' },
          ...{ laterMillis: 10, together: false, then: 'go on' },
        }));
        const waiting: [() => Promise<Told>, () => Promise<Told>, Step][] = [];
        const settle = async (): Promise<void> => {
          for (const [one, other, step] of waiting.splice(0)) {
            const [before, after] = await Promise.all([one(), other()]);
            const isReplay = (after[1] as { replayed?: boolean }).replayed === true;
            // Recognised before the log was closed: the general writer answers from the event that it has, where the old one read it a second time.
            if (!(isReplay && before[0] === 'EVENT_LOG_CLOSED'))
              expect([step, after]).toEqual([step, before]);
            counts[after[0]] = (counts[after[0]] ?? 0) + 1;
            if (isReplay) counts['replayed'] = (counts['replayed'] ?? 0) + 1;
          }
        };
        for (const step of [...setUp, ...history]) {
          const command =
            step.form === 'malformed' ? { ...step.command, ledger: 'a/b' } : step.command;
          const attempt = attemptOf(step);
          for (const side of both) {
            side.nowMillis += step.laterMillis;
            side.monotonicMillis += Math.max(0, step.laterMillis);
          }
          const pendings = both.map(({ writer }) => {
            try {
              return writer.admit(command, attempt) as OldPendingOutcome & PendingOutcome<Answer>;
            } catch (error) {
              return { error: error as Error };
            }
          });
          const [one, other] = both.map(({ writer }, index) => () => {
            const pending = pendings[index]!;
            if ('error' in pending) return told(() => Promise.reject(pending.error));
            return told(() =>
              (writer as { settle(pending: OldPendingOutcome): Promise<{ kind: string }> }).settle(
                pending,
              ),
            );
          });
          expect(general.writer.log.lastPosition).toBe(old.writer.log.lastPosition);
          waiting.push([one!, other!, step]);
          if (!step.together) await settle();
          if (step.then === 'go on') continue;
          // A clock that cannot be believed, and is believed again at the next step: nothing but repetitions and refusals is answered.
          if (step.then === 'jump') {
            await settle();
            for (const side of both) side.nowMillis += 2_000_000_000;
            const jumped = both.map(
              ({ writer }) =>
                () =>
                  told(() => writer.execute(command, attempt)),
            );
            waiting.push([jumped[0]!, jumped[1]!, step]);
            await settle();
            for (const side of both) side.nowMillis -= 2_000_000_000;
            continue;
          }
          if (step.then === 'close') await settle();
          // Both in one turn, so that the same has reached their disks.
          if (step.then === 'kill') for (const side of both) side.fileSystem.kill();
          for (const side of both) await side.restart(retention);
          await settle();
          expect(general.writer.log.lastPosition).toBe(old.writer.log.lastPosition);
        }
        await settle();
        for (const key of [1, 2, 101, 105])
          for (const actor of ['shop', 'bank']) {
            const text = `key-${key}`;
            const found = await told(async () => ({
              kind: 'found',
              ...(await old.writer.find({ ledger: TEST_LEDGER, actor, key: text })),
            }));
            const alike = await told(async () => ({
              kind: 'found',
              ...(await general.writer.find({ scope: TEST_LEDGER, actor, key: text })),
            }));
            expect(alike).toEqual(found);
            for (const hash of ['h1', 'h2'])
              expect(general.writer.recognise({ scope: TEST_LEDGER, actor, key: text }, hash)).toBe(
                old.writer.recognise({ ledger: TEST_LEDGER, actor, key: text }, hash),
              );
          }
        expect(general.writer.decisions()).toEqual(old.writer.decisions());
        expect(await eventsOf(general.writer)).toEqual(await eventsOf(old.writer));
        expect(bytesOf(general.writer)).toEqual(bytesOf(old.writer));
        // Each opens the other's log, and knows what was decided there.
        const last = old.writer.log.lastPosition;
        await old.writer.close();
        await general.writer.close();
        [old.fileSystem, general.fileSystem] = [general.fileSystem, old.fileSystem];
        for (const side of both) {
          await side.open(retention);
          expect(side.writer.log.lastPosition).toBe(last);
        }
        for (const step of history) {
          if (step.form !== 'keyed') continue;
          const [before, after] = await Promise.all(
            both.map(({ writer }) => told(() => writer.execute(step.command, attemptOf(step)))),
          );
          expect([step, after]).toEqual([step, before]);
        }
        await Promise.all(both.map(({ writer }) => writer.close()));
      },
    ),
    { numRuns: runs({ short: 15, long: 1_500 }) },
  );
  if (process.env['LONG_FORM'] === '1') process.stdout.write(`${JSON.stringify(counts)}\n`);
});
