/**
 * Reads the databases of states through, one after another, and says what each is. LMDB may kill this process on the way: what it says first is which one it has
 * begun. Arguments: directories of states.
 */
import { readThroughState } from '@holdfast/event-store';
import { errorCode } from '@holdfast/kernel';
import { writeSync } from 'node:fs';

for (const directory of process.argv.slice(2)) {
  writeSync(1, `begin ${directory}\n`);
  const found = await readThroughState(directory).then(
    ({ position, digest }) => `whole ${position} ${digest}`,
    (error: unknown) => `noticed ${errorCode(error) ?? String(error)}`,
  );
  writeSync(1, `end ${directory} ${found}\n`);
}
process.exit(0);
