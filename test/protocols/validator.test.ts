/** A user's validator: what it may answer, and what it can not do to the worker that asks it. */
import { expect, test } from 'vitest';
import { limits, loadValidator } from '../../src/protocols/validator.js';
import { text } from '../cases/case.js';

const url = new URL('validator.mjs', import.meta.url).href;

async function ask(bytes: Uint8Array) {
  const errors: string[] = [];
  const validate = await loadValidator(url, (error) => errors.push(String(error)));
  return { answer: validate(bytes), errors };
}

const answers = [
  { why: 'match', bytes: 'm', answer: { verdict: 'match' } },
  { why: 'no', bytes: 'n', answer: { verdict: 'no' } },
  { why: 'more: asked again with the next byte', bytes: 'wait', answer: { verdict: 'more', bytesNeeded: 5 } },
];
test.each(answers)('$why', async ({ bytes, answer }) =>
  expect(await ask(text(bytes))).toEqual({ answer, errors: [] }),
);

test('time that the thread did not get is not held against it', async () => {
  expect(await ask(text('p'))).toEqual({ answer: { verdict: 'match' }, errors: [] });
});

const failures = [
  { why: 'an exception', bytes: 't', says: 'Error: this validator throws' },
  { why: 'no answer', bytes: 'q', says: "TypeError: expected 'match', 'no' or 'more', got 42" },
  { why: 'a sleep without end', bytes: 's', says: `timed out after ${limits.timeMs}ms` },
  { why: 'a loop without end', bytes: 'l', says: `timed out after ${limits.timeMs}ms` },
];
test.each(failures)('$why is no, and told', async ({ bytes, says }) => {
  const { answer, errors } = await ask(text(bytes));
  expect(answer).toEqual({ verdict: 'no' });
  expect(errors).toEqual([expect.stringContaining(says)]);
});

test('it can not wait for ever', async () => {
  const { answer } = await ask(Buffer.alloc(limits.bytesMax, 'w'));
  expect(answer).toEqual({ verdict: 'no' });
});

test('it can not change what the endpoint will see', async () => {
  const bytes = text('changed');
  expect((await ask(bytes)).answer).toEqual({ verdict: 'match' });
  expect(bytes).toEqual(text('changed'));
});

test('a module that is no JavaScript is named', async () => {
  const broken = `data:text/javascript,${encodeURIComponent('syntax error')}`;
  await expect(loadValidator(broken, () => {})).rejects.toThrow(`validator ${broken}: Unexpected identifier`);
});

test('a module without a function is refused when it is loaded', async () => {
  const empty = new URL('../cases/case.ts', import.meta.url).href;
  await expect(loadValidator(empty, () => {})).rejects.toThrow('its default export must be a function');
});
