import { createReadStream, type ReadStream } from 'node:fs';
import iconv from 'iconv-lite';

/** A file as text, piece by piece. */
export interface CsvText {
  /** As iconv-lite calls it. */
  readonly encoding: string;
  /** Whether the file begins with a byte order mark; the text does not. */
  readonly byteOrderMark: boolean;
  readonly pieces: AsyncGenerator<string>;
  /** That were read so far. */
  readonly bytes: number;
}

const BYTE_ORDER_MARKS: readonly (readonly [string, Buffer])[] = [
  ['utf8', Buffer.from([0xef, 0xbb, 0xbf])],
  ['utf-16le', Buffer.from([0xff, 0xfe])],
  ['utf-16be', Buffer.from([0xfe, 0xff])],
];

/** Every browser reads these as windows-1252, which has letters where they have controls: a bank that says latin1 and writes € means it. */
const LATIN_1 = ['latin1', 'iso88591', 'l1', 'binary'];

export function isEncoding(name: string): boolean {
  return iconv.encodingExists(name);
}

/** A byte order mark decides, then the encoding that is named, then UTF-8. What is not in the encoding becomes U+FFFD. */
export async function openText(path: string, named: string | undefined): Promise<CsvText> {
  const input = createReadStream(path);
  const chunks = input[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first = await chunks.next();
  const head = first.done === true ? Buffer.alloc(0) : first.value;
  const mark = BYTE_ORDER_MARKS.find(([, bytes]) => bytes.equals(head.subarray(0, bytes.length)));
  const encoding = mark?.[0] ?? withoutControls(named ?? 'utf8');
  return {
    encoding,
    byteOrderMark: mark !== undefined,
    pieces: decoded(input, head, chunks, encoding),
    get bytes() {
      return input.bytesRead;
    },
  };
}

function withoutControls(name: string): string {
  return LATIN_1.includes(name.toLowerCase().replace(/[^0-9a-z]/g, '')) ? 'windows-1252' : name;
}

async function* decoded(
  input: ReadStream,
  head: Buffer,
  chunks: AsyncIterator<Buffer>,
  encoding: string,
): AsyncGenerator<string> {
  const decoder = iconv.getDecoder(encoding);
  // Half of a surrogate pair waits for the other half, which some decoders give with the next piece.
  let half = '';
  try {
    for (let chunk: Buffer | undefined = head; chunk !== undefined;) {
      const text = half + decoder.write(chunk);
      half = /[\ud800-\udbff]$/.exec(text)?.[0] ?? '';
      yield half === '' ? text : text.slice(0, -1);
      const next = await chunks.next();
      chunk = next.done === true ? undefined : next.value;
    }
    yield half + (decoder.end() ?? '');
  } finally {
    input.destroy();
  }
}
