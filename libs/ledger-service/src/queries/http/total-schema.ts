/** For OpenAPI: what amounts add up to, which may have more digits than one amount. */
export const totalSchema = {
  type: 'string',
  pattern: '^(?:0|-?[1-9][0-9]*)$',
  description: 'A whole number of minor units, as text.',
  example: '1250',
} as const;
