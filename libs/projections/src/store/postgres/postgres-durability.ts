/** What a crash of the server may take back is only filled again. */
export const FILL_QUICKLY = `SET synchronous_commit = off`;

/** A position that queries see, and that the log may be cut to, is on disk when its commit returns; with a synchronous standby, as the server's settings say. */
export const MAKE_DURABLE = `
  SELECT set_config('synchronous_commit', CASE reset_val WHEN 'off' THEN 'on' ELSE reset_val END, false)
  FROM pg_settings WHERE name = 'synchronous_commit'
`;
