/**
 * A service whose calls on its state's files are traced: three times it checkpoints and makes a snapshot; then it is closed, damaged, and opened again until
 * it notices. Says what it is told when it is told, in the same trace.
 */
import { appendFileSync } from 'node:fs';
import { errorCode } from '@holdfast/kernel';
import { changeValue } from '../state/database-damage.js';
import { removeServices, SimulatedService } from '../state/simulated-service.js';
import { TRACED_INTO, type TracedCall } from './traced-call.js';

const SNAPSHOTS = 3;
const COMMITS = 20;

function say(text: string): void {
  const said: TracedCall = { call: 'said', path: '', text };
  appendFileSync(process.env[TRACED_INTO] ?? '', `${JSON.stringify(said)}\n`);
}

const service = await SimulatedService.open((event) => {
  if (event.kind === 'checkpoint-step' && event.step === 'recorded')
    say(`recorded ${event.position}`);
});
for (let round = 0; round < SNAPSHOTS; round++) {
  await service.append(COMMITS);
  const { position } = await service.log.snapshot();
  say(`snapshot ${position}`);
}
const image = await service.close();
changeValue(image.directory, ['counts', 's-7'], (stored) => {
  stored.writeUInt8(stored.readUInt8(stored.length - 1) ^ 1, stored.length - 1);
  return true;
});
const from = { image, commits: service.commits };
const again = await SimulatedService.open((event) => {
  if (event.kind === 'damaged') say('damaged');
}, from);
say('opened');
try {
  again.assertState();
} catch (error) {
  if (errorCode(error) !== 'EVENT_STATE_DAMAGED') throw error;
}
await again.close();
removeServices();
