import { expect, test } from 'vitest';
import { editProtocols } from '../../src/primary/protocol-edits.js';

const document = {
  server: { listen: ':1' },
  protocols: [
    { name: 'HTTP', target: 'web:80', priority: 1 },
    { name: 'Redis', target: 'r:6379' },
  ],
};
const [http, redis] = document.protocols;

test('one is added at the end, also to a document without any', () => {
  const ssh = { name: 'SSH', target: 'b:22' };
  expect(editProtocols(document, { kind: 'add', entry: ssh })).toEqual({
    ...document,
    protocols: [http, redis, ssh],
  });
  expect(editProtocols({}, { kind: 'add', entry: ssh })).toEqual({ protocols: [ssh] });
});

test('a name is there in any letter case', () => {
  expect(editProtocols(document, { kind: 'add', entry: { name: 'http' } })).toBe('exists');
  expect(editProtocols(document, { kind: 'remove', name: 'REDIS' })).toEqual({
    ...document,
    protocols: [http],
  });
  expect(editProtocols(document, { kind: 'remove', name: 'SSH' })).toBe('missing');
});

test('one is replaced in its place, and may be renamed to a name that is free', () => {
  const next = { name: 'http', target: 'other:80' };
  expect(editProtocols(document, { kind: 'replace', name: 'Http', entry: next })).toEqual({
    ...document,
    protocols: [next, redis],
  });
  expect(editProtocols(document, { kind: 'replace', name: 'http', entry: { name: 'redis' } })).toBe('exists');
});

test('some keys change, and null removes one', () => {
  const change = { target: 'w2:80', priority: null };
  expect(editProtocols(document, { kind: 'merge', name: 'http', entry: change })).toEqual({
    ...document,
    protocols: [{ name: 'HTTP', target: 'w2:80' }, redis],
  });
});

test('a target takes the place of a handler, and the other way round', () => {
  const served = { protocols: [{ name: 'ssh', handler: './h.js', priority: 1 }] };
  const merge = (entry: object) => editProtocols(served, { kind: 'merge', name: 'ssh', entry: { ...entry } });
  expect(merge({ target: 'a:1' })).toEqual({ protocols: [{ name: 'ssh', target: 'a:1', priority: 1 }] });
  expect(merge({ target: null, priority: 2 })).toEqual({
    protocols: [{ name: 'ssh', handler: './h.js', priority: 2 }],
  });
  const both = { target: 'a:1', handler: './other.js' };
  expect(merge(both)).toEqual({ protocols: [{ name: 'ssh', ...both, priority: 1 }] });
});

test('the document itself is never changed', () => {
  const before = structuredClone(document);
  editProtocols(document, { kind: 'remove', name: 'http' });
  editProtocols(document, { kind: 'merge', name: 'redis', entry: { target: null } });
  expect(document).toEqual(before);
});
