/** What a process was started with: variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;
