import { createConfig, lintFromString } from '@redocly/openapi-core';

/** What redocly's recommended rules find in an OpenAPI document, one sentence each. */
export async function lintOpenApi(document: string): Promise<readonly string[]> {
  const config = await createConfig({ extends: ['recommended'] });
  const problems = await lintFromString({ source: document, config });
  return problems.map(
    ({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer ?? ''}`,
  );
}
