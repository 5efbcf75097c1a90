const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
const STEP = 1024;

/** `1.5 MiB` */
export function bytesText(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= STEP && unit < BYTE_UNITS.length - 1) {
    value /= STEP;
    unit++;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${BYTE_UNITS[unit] ?? ''}`;
}

/** `1,234,567` */
export function countText(count: number): string {
  return count.toLocaleString('en');
}

/** `1 segment`, `2 segments` */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : several}`;
}

/** `850 ms`, `12.3 s`, `3 min 20 s`, `2 h 5 min` */
export function durationText(millis: number): string {
  if (millis < 1_000) return `${Math.round(millis)} ms`;
  const seconds = millis / 1_000;
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** What is left when `done` of `total` took so long: undefined until a rate can be told. */
export function remainingMillis(
  done: number,
  total: number,
  elapsedMillis: number,
): number | undefined {
  if (done <= 0 || elapsedMillis <= 0) return undefined;
  return Math.max(0, (elapsedMillis / done) * (total - done));
}
