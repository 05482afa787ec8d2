import { afterAll, beforeAll, describe, test } from 'vitest';

describe('outer', () => {
  describe('inner', () => {
    beforeAll(() => {
      throw new Error('the server did not start');
    });
    test('never runs', () => {});
  });
  describe('ends badly', () => {
    afterAll(() => {
      throw new Error('the folder is still there');
    });
    test('passes', () => {});
  });
});
