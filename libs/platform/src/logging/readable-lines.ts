import type { DestinationStream } from 'pino';

interface Line {
  readonly time?: string;
  readonly level?: string;
  readonly msg?: string;
  readonly err?: { readonly code?: string; readonly message?: string; readonly stack?: string };
  readonly [field: string]: unknown;
}

const GREY = '\u001b[90m';
const COLOURS: Readonly<Record<string, string>> = {
  info: '\u001b[32m',
  warn: '\u001b[33m',
  error: '\u001b[31m',
  fatal: '\u001b[31m',
};
const RESET = '\u001b[0m';
const LEVEL_WIDTH = 5;
/** Told by the line itself, or of no use to somebody who looks on. */
const NOT_SHOWN = new Set(['time', 'level', 'msg', 'err', 'service', 'pid', 'hostname']);

/** A terminal's destination of a logger: each JSON line becomes one that a person reads. */
export function readableLines(terminal: DestinationStream): DestinationStream {
  return { write: (line) => terminal.write(readableLine(line)) };
}

/** `10:00:00 info  the log is open  directory=data/wal lastPosition=7`; a line that is no JSON stays as it is. */
export function readableLine(json: string): string {
  let line: Line;
  try {
    line = JSON.parse(json) as Line;
  } catch {
    return json;
  }
  const { time = '', level = '', msg, err } = line;
  const colour = COLOURS[level] ?? GREY;
  const head = `${GREY}${time.slice(11, 19)}${RESET} ${colour}${level.padEnd(LEVEL_WIDTH)}${RESET}`;
  const text = msg ?? requestText(line);
  return `${[head, text, fieldsText(line, msg === undefined)].filter((part) => part !== '').join(' ')}${failureText(err)}\n`;
}

/** `POST /v1/ledgers/main/transfers 201 1.2 ms` */
function requestText({ method, path, status, durationMicros }: Line): string {
  if (typeof method !== 'string') return '';
  const millis = (Number(durationMicros) / 1_000).toFixed(1);
  return `${method} ${String(path)} ${String(status)} ${millis} ms`;
}

function fieldsText(line: Line, isRequest: boolean): string {
  const told = isRequest
    ? ['method', 'path', 'route', 'status', 'durationMicros', 'correlationId']
    : [];
  const fields = Object.entries(line)
    .filter(([name]) => !NOT_SHOWN.has(name) && !told.includes(name))
    .map(([name, value]) => `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`);
  return fields.length === 0 ? '' : `${GREY}${fields.join(' ')}${RESET}`;
}

/** An error with a code is foreseen, and says itself what is wrong; of any other the stack is what there is. */
function failureText(err: Line['err']): string {
  if (err === undefined) return '';
  const { code, message = '', stack = message } = err;
  const text = code === undefined ? stack : `${code}: ${message}`;
  return `\n  ${text.replaceAll('\n', '\n  ')}`;
}
