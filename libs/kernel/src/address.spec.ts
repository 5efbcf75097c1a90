import { describe, expect, it } from '@jest/globals';
import { addressOf } from './address.js';

describe('the address of a service', () => {
  it.each([
    ['http://127.0.0.1:7401', 'http://127.0.0.1:7401'],
    ['https://example.org/', 'https://example.org'],
    ['http://[::1]:65535', 'http://[::1]:65535'],
    ['http://command_service:7401', 'http://command_service:7401'],
    ['http://127.0.0.1:65536', undefined],
    ['http://127.0.0.1:99999', undefined],
    ['http://127.0.0.1:1:2', undefined],
    ['http://[::1', undefined],
    ['http://256.0.0.1', undefined],
    ['http://example.org/v1', undefined],
    ['127.0.0.1:7401', undefined],
    ['', undefined],
  ])('%s is %s', (text, address) => {
    expect(addressOf(text)).toBe(address);
  });
});
