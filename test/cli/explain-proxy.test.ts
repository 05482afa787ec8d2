/** `explain` where requests to the proxy come before all routes. */
import { expect, test } from 'vitest';
import { explain } from '../../src/cli/explain/explanation.js';
import { explanationText } from '../../src/cli/explain/print.js';
import { compile } from '../../src/config/compile.js';
import { NOTHING_DISCOVERED } from '../../src/model/config.js';
import { IdRegistry } from '../../src/plane/ids.js';
import { text } from '../cases/case.js';
import { configOf } from '../config/support.js';

const plan = compile(
  configOf(`
protocols: [{ name: HTTP, target: "10.0.0.5:80" }]
listeners: [{ name: front, address: "127.0.0.1:1" }, { name: back, address: "127.0.0.1:2" }]
routes: [{ when: { protocol: http, host: b.example }, to: close }]
connect_proxy: { listeners: [front], allow_from: ["10.0.0.0/8"], socks: true }`),
  NOTHING_DISCOVERED,
  1,
  new IdRegistry(),
);

const connect = 'CONNECT b.example:443 HTTP/1.1\r\n';
const malformed = 'Host: b.example\r\nHost: c.example\r\n\r\n';
const preface = 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0';

test.each([
  ['a request to the proxy', 'front', `${connect}\r\n`, 'connect_proxy'],
  ['as soon as its first line is there', 'front', connect, 'connect_proxy'],
  ['whatever is wrong behind it: the proxy says so', 'front', connect + malformed, 'connect_proxy'],
  ['SOCKS 5', 'front', '\x05\x01\x00', 'connect_proxy'],
  ['SOCKS 4', 'front', '\x04\x01\x01\xbb\x0a\x00\x00\x01\x00', 'connect_proxy'],
  ['a request to a web server', 'front', 'GET / HTTP/1.1\r\nHost: a.example\r\n\r\n', 'HTTP'],
  ['HTTP/2, which nobody else takes', 'front', preface, 'connect_proxy'],
  ['where there is no proxy', 'back', 'CONNECT c.example:443 HTTP/1.1\r\n\r\n', 'HTTP'],
  ['nor SOCKS', 'back', '\x05\x01\x00', 'close'],
  ['nor HTTP/2', 'back', preface, 'close'],
])('%s', async (_, listener, bytes, target) => {
  const index = plan.listeners.findIndex(({ name }) => name === listener);
  const explanation = await explain(plan, index, { source: '', bytes: Buffer.from(bytes, 'latin1') });
  expect(explanation.outcome.target).toBe(target);
});

test('a rule on what the headers say still fails closed', async () => {
  const explanation = await explain(plan, 0, { source: '', bytes: text(`GET / HTTP/1.1\r\n${malformed}`) });
  expect(explanation.outcome).toMatchObject({ target: 'reset', by: 'facts' });
});

test('for people', async () => {
  const explanation = await explain(plan, 0, { source: '', bytes: text(`${connect}\r\n`) });
  const lines = explanationText(explanation, plan).split('\n');
  expect(lines.find((line) => line.startsWith('goes to'))).toMatch(/^goes to +connect_proxy$/);
});
