/** Health and metrics are asked for by who gives up soon, and one part that is late must not hide the others. */
export const ANSWER_MILLIS_MAX = 1_000;

/** What `ask` gives, or `late` when that takes too long. Rejects with what it throws. */
export async function inTime<Value, Late>(
  ask: () => Value | Promise<Value>,
  late: Late,
): Promise<Value | Late> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<Late>((resolve) => {
    timer = setTimeout(() => resolve(late), ANSWER_MILLIS_MAX);
  });
  try {
    return await Promise.race([ask(), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
