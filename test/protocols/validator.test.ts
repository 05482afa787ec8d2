/** Validators: valid answers, and what a faulty one can not do to its worker. */
import { expect, test } from 'vitest';
import { native } from '../../src/addon.js';
import { limits, loadValidator } from '../../src/protocols/validator.js';
import { text } from '../cases/case.js';

const thread = { cpuMs: native.threadCpuMs, runMicrotasks: native.runMicrotasks };
const url = new URL('validator.mjs', import.meta.url).href;

async function ask(bytes: Uint8Array) {
  return askModule(url, bytes);
}

/** Called from an event as in a worker: no promise job is running. */
async function askModule(module: string, bytes: Uint8Array) {
  const errors: string[] = [];
  const validate = await loadValidator(module, ({ error }) => errors.push(error), { thread });
  const answer = await new Promise((resolve) => setImmediate(() => resolve(validate(bytes))));
  return { answer, errors };
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

const timedOut = `timed out after ${limits.timeMs}ms`;
const unreadable = 'what was thrown can not be read';
const hostile = [
  {
    why: 'a promise that rejects',
    code: 'async () => { throw new Error("late") }',
    says: "expected 'match', 'no' or 'more', got a promise",
  },
  {
    why: 'an object whose toString loops',
    code: '() => ({ toString() { for (;;); } })',
    says: 'got an object',
  },
  {
    why: 'an object whose toString throws',
    code: '() => ({ toString() { throw 1; } })',
    says: 'got an object',
  },
  { why: 'an object without toString', code: '() => Object.create(null)', says: 'got an object' },
  { why: 'a thenable that loops', code: '() => ({ get then() { for (;;); } })', says: 'got an object' },
  {
    why: 'a proxy that loops',
    code: '() => new Proxy({}, { get() { for (;;); }, getPrototypeOf() { for (;;); } })',
    says: 'got an object',
  },
  {
    why: 'a promise whose constructor loops',
    code: '() => Object.defineProperty(Promise.resolve(), "constructor", { get() { for (;;); } })',
    says: timedOut,
  },
  {
    why: 'a promise job that loops',
    code: '() => { Promise.resolve().then(() => { for (;;); }); return "match"; }',
    says: timedOut,
  },
  {
    why: 'promise jobs without end',
    code: '() => { const again = () => { Promise.resolve().then(again); }; again(); return "match"; }',
    says: timedOut,
  },
  {
    why: 'a job that throws',
    code: '() => { queueMicrotask(() => { throw new Error("escaped"); }); return "match"; }',
    says: 'Error: escaped',
  },
  {
    why: 'an error whose getters throw',
    code: '() => { throw { get message() { throw 1; } }; }',
    says: unreadable,
  },
  {
    why: 'an error whose getters loop',
    code: '() => { throw Object.defineProperty(new Error(), "message", { get() { for (;;); } }); }',
    says: unreadable,
  },
  {
    why: 'a thrown proxy that loops',
    code: '() => { throw new Proxy({}, { get() { for (;;); }, getPrototypeOf() { for (;;); } }); }',
    says: unreadable,
  },
  { why: 'a thrown null', code: '() => { throw null; }', says: 'null' },
  { why: 'a thrown symbol', code: '() => { throw Symbol("odd"); }', says: 'Symbol(odd)' },
  { why: 'a symbol', code: '() => Symbol("odd")', says: 'got Symbol(odd)' },
  { why: 'a call without end', code: '() => { const f = () => f() + 1; return f(); }', says: 'RangeError' },
];
test.each(hostile)('$why is no, and told', async ({ code, says }) => {
  const module = `data:text/javascript,${encodeURIComponent(`export default ${code}`)}`;
  const { answer, errors } = await askModule(module, text('any'));
  expect(answer).toEqual({ verdict: 'no' });
  expect(errors).toEqual([expect.stringContaining(says)]);
});

test('jobs of others that wait are not dropped with those of a validator that is interrupted', async () => {
  const module = `data:text/javascript,${encodeURIComponent('export default () => { for (;;); }')}`;
  const validate = await loadValidator(module, () => {}, { thread });
  const ran = await new Promise((resolve) => {
    setImmediate(() => {
      let done = false;
      void Promise.resolve().then(() => {
        done = true;
      });
      validate(text('any'));
      setImmediate(() => resolve(done));
    });
  });
  expect(ran).toBe(true);
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
