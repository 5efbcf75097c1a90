/** One figure at one size, with the smallest and largest seen. */
export interface PlotPoint {
  readonly x: number;
  readonly y: number;
  readonly low: number;
  readonly high: number;
}

export interface LinePlot {
  readonly title: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly series: readonly { readonly name: string; readonly points: readonly PlotPoint[] }[];
}

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM] = [720, 400, 80, 24, 48, 56];
const COLOURS = ['#0b6e99', '#b3541e', '#4a7c3a', '#7a4b94'];
const TICKS = 5;

/** Lines over a logarithmic axis of sizes, from zero upward, as an SVG text. */
export function linePlot({ title, xLabel, yLabel, series }: LinePlot): string {
  const points = series.flatMap((line) => line.points);
  const sizes = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const [smallest, largest] = [Math.log(sizes[0] ?? 1), Math.log(sizes.at(-1) ?? 1)];
  const top = niceAbove(Math.max(...points.map(({ high }) => high)));
  const atX = (x: number): number =>
    LEFT + ((Math.log(x) - smallest) / (largest - smallest || 1)) * (WIDTH - LEFT - RIGHT);
  const atY = (y: number): number => HEIGHT - BOTTOM - (y / top) * (HEIGHT - TOP - BOTTOM);
  const grid = Array.from({ length: TICKS + 1 }, (_, tick) => (top * tick) / TICKS).map(
    (y) =>
      `<line x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${atY(y)}" y2="${atY(y)}" stroke="#ddd"/>` +
      text(LEFT - 8, atY(y) + 4, short(y), 'end'),
  );
  const ticks = sizes.map((x) => text(atX(x), HEIGHT - BOTTOM + 18, short(x), 'middle'));
  const lines = series.flatMap((line, at) => {
    const colour = COLOURS[at % COLOURS.length] ?? '#000';
    const path = line.points.map(({ x, y }) => `${round(atX(x))},${round(atY(y))}`).join(' ');
    return [
      `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"/>`,
      ...line.points.map(
        ({ x, y, low, high }) =>
          `<line x1="${round(atX(x))}" x2="${round(atX(x))}" y1="${round(atY(low))}" y2="${round(atY(high))}" stroke="${colour}"/>` +
          `<circle cx="${round(atX(x))}" cy="${round(atY(y))}" r="4" fill="${colour}"/>`,
      ),
      `<rect x="${LEFT + 12 + at * 210}" y="${TOP - 14}" width="12" height="12" fill="${colour}"/>` +
        text(LEFT + 30 + at * 210, TOP - 4, line.name, 'start'),
    ];
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#fff"/>`,
    `<text x="${LEFT}" y="20" font-size="15" font-weight="bold">${escaped(title)}</text>`,
    ...grid,
    ...ticks,
    text(WIDTH / 2, HEIGHT - 12, xLabel, 'middle'),
    `<text transform="translate(18 ${HEIGHT / 2}) rotate(-90)" text-anchor="middle">${escaped(yLabel)}</text>`,
    ...lines,
    '</svg>',
    '',
  ].join('\n');
}

function text(x: number, y: number, content: string, anchor: string): string {
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}">${escaped(content)}</text>`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** The next of 1, 2 and 5 times a power of ten. */
function niceAbove(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value || 1));
  return ([1, 2, 5].find((step) => step * power >= value) ?? 10) * power;
}

function short(value: number): string {
  if (value >= 1e6) return `${round(value / 1e6)}M`;
  if (value >= 1e3) return `${round(value / 1e3)}k`;
  return String(round(value));
}
