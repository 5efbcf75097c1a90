/** `npm run build`: compiles everything, and notes of what, so that a start after it need not. */
import { build } from './build-if-needed.js';

try {
  await build();
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}
