import { expect, it } from '@jest/globals';
import * as classTransformer from 'class-transformer';
import * as classValidator from 'class-validator';
import * as parts from './class-validator.js';

const whole = { ...classTransformer, ...classValidator };

it.each(Object.keys(parts) as (keyof typeof parts)[])('%s is the one of the entry', (name) => {
  expect(parts[name]).toBeDefined();
  expect(parts[name]).toBe(whole[name]);
});
