/**
 * `node bin/health.js <url>`: whether the service at that address is ready, which a container asks every few seconds for as long as it
 * lives. So it loads nothing but Node's own HTTP client. Exit code 0, 1 when it is not ready, 69 when it does not answer, as `holdfast health` has them.
 */
import { get } from 'node:http';

const ANSWER_MILLIS_MAX = 4_000;
/** What an engine keeps of a check is less. */
const ANSWER_BYTES_MAX = 4_096;

const signal = AbortSignal.timeout(ANSWER_MILLIS_MAX);
try {
  get(new URL('/health/ready', process.argv[2]), { signal, agent: false }, read).on(
    'error',
    unreachable,
  );
} catch (error) {
  // No address, or one that is none.
  unreachable(error);
}

function read(answer) {
  const { statusCode } = answer;
  process.exitCode = statusCode >= 200 && statusCode < 300 ? 0 : 1;
  let left = ANSWER_BYTES_MAX;
  answer.on('error', unreachable);
  answer.on('data', (bytes) => {
    process.stdout.write(bytes.subarray(0, left));
    left -= Math.min(left, bytes.length);
  });
}

function unreachable(error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 69;
}
