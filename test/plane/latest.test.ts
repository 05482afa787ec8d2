import { expect, test } from 'vitest';
import { Latest } from '../../src/plane/latest.js';
import { settled } from '../base/fake-clock.js';

/** Tasks that end when the test says. */
function tasks() {
  const begun: string[] = [];
  const ends = new Map<string, (how?: Error) => void>();
  const latest = new Latest<string>('superseded');
  const results: string[] = [];
  const run = (name: string) => {
    const task = () => {
      begun.push(name);
      return new Promise<string>((resolve, reject) => {
        ends.set(name, (error) => (error ? reject(error) : resolve('done')));
      });
    };
    void latest.run(task).then(
      (result) => results.push(`${name} ${result}`),
      (error: Error) => results.push(`${name} ${error.message}`),
    );
  };
  return { begun, ends, results, run };
}

test('one at a time; of those that wait only the newest is kept', async () => {
  const { begun, ends, results, run } = tasks();
  for (const name of ['a', 'b', 'c']) run(name);
  await settled();
  expect([begun, results]).toEqual([['a'], ['b superseded']]);
  ends.get('a')?.();
  await settled();
  expect([begun, results]).toEqual([
    ['a', 'c'],
    ['b superseded', 'a done'],
  ]);
  run('d');
  ends.get('c')?.();
  await settled();
  ends.get('d')?.();
  await settled();
  expect(results.slice(2)).toEqual(['c done', 'd done']);
});

test('one that fails holds up nobody', async () => {
  const { begun, ends, results, run } = tasks();
  for (const name of ['a', 'b']) run(name);
  ends.get('a')?.(new Error('boom'));
  await settled();
  expect([begun, results]).toEqual([['a', 'b'], ['a boom']]);
});
