/** Floors that the service sets for itself, and why dropping them is no way to free space. */
export const KEPT_FLOORS: Readonly<Record<string, string>> = {
  checkpoint: 'a restart replays from the checkpoint on. Make a new one, and it moves.',
  archive: 'what follows it has not been archived yet. Archive, and it moves.',
};
