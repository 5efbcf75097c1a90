const ANONYMOUS = 'anonymous';

/** Who asks. The one place that authentication will change; keys belong to a ledger and an actor already. */
export function actorOf(): string {
  return ANONYMOUS;
}
