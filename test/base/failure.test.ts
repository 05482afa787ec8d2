import { expect, test } from 'vitest';
import { describeFailure, failureLimits } from '../../src/base/failure.js';

const forever = () => {
  for (;;);
};

const rows = [
  { why: 'an error', thrown: new TypeError('no'), error: 'TypeError: no' },
  { why: 'a text', thrown: 'just so', error: 'just so' },
  { why: 'nothing', thrown: undefined, error: 'undefined' },
  { why: 'a symbol', thrown: Symbol('s'), error: 'Symbol(s)' },
  { why: 'an object', thrown: { code: 1 }, error: 'what was thrown is no error' },
  { why: 'no prototype', thrown: Object.create(null), error: 'what was thrown is no error' },
  { why: 'a message that is none', thrown: { message: 5 }, error: 'what was thrown is no error' },
  {
    why: 'a stack that loops is left out',
    thrown: Object.defineProperty(new Error('no'), 'stack', { get: forever }),
    error: 'Error: no',
  },
  {
    why: 'a message that loops',
    thrown: Object.defineProperty(new Error(), 'message', { get: forever }),
    error: 'what was thrown can not be read',
  },
  {
    why: 'a function whose toString loops',
    thrown: Object.assign(() => {}, { toString: forever }),
    error: 'what was thrown can not be read',
  },
  {
    why: 'a proxy',
    thrown: new Proxy({}, { get: forever }),
    error: 'what was thrown can not be read',
  },
];
test.each(rows)('$why', ({ thrown, error }) => expect(describeFailure(thrown).error).toBe(error));

test('texts are cut', () => {
  const error = new Error('x'.repeat(1e6));
  const { error: message, stack = '' } = describeFailure(error);
  expect(message).toHaveLength(failureLimits.messageCharactersMax);
  expect(stack).toHaveLength(failureLimits.stackCharactersMax);
});
