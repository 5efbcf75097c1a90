/** The small door of this room for whoever starts and ends a process. It loads neither Nest nor the log. */
export { ExitCode, type ExitCodes, exitCodeOf } from './exit-code.js';
export { LOG_EXIT_CODES } from './log-exit-codes.js';
export {
  type Closable,
  type RunHoldfastOptions,
  type RunningProcess,
  runHoldfast,
  startFailed,
} from './run-holdfast.js';
