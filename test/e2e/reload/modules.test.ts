/** Handlers and validators change by reload; one that is broken is refused, and what was accepted is what workers load. */
import { execFileSync } from 'node:child_process';
import { rmSync, truncateSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { MODULE_BYTES_MAX } from '../../../src/config/file-kind.js';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { dial } from '../../support/tcp.js';
import { eventually } from '../../support/wait.js';

let daemon: Daemon;

/** Answers each message with the text; `die` ends its worker thread. */
const answering = (text: string) => `
  import { mark } from './helper.mjs';
  export default (socket) => {
    socket.on('data', (bytes) => {
      if (bytes.includes('die')) process.exit(9);
      socket.write(mark + ${JSON.stringify(text)});
    });
    socket.on('end', () => socket.end());
    socket.on('error', () => {});
  };`;

const write = (name: string, text: string) => writeFileSync(`${daemon.folder.path}/${name}`, text);

const config = { protocols: [{ name: 'Marked', handler: './handler.mjs', start_bytes: ['aa'] }] };

beforeEach(async () => {
  daemon = await startDaemon({ protocols: [{ name: 'Redis', target: '127.0.0.1:1' }] });
  write('helper.mjs', "export const mark = '#';");
  write('handler.mjs', answering('one'));
  expect(await daemon.reload(config)).toMatchObject({ msg: 'reloaded' });
});

afterEach(() => daemon.stop());

async function open() {
  const client = (await dial(daemon.port)).send(Buffer.from([0xaa]));
  await client.bytes(1);
  return client;
}

async function answer(): Promise<string> {
  const client = await open();
  client.finish();
  await client.end();
  return client.received.toString();
}

test('a handler that has changed serves new sessions, the old one those that it has', async () => {
  const early = await open();
  write('handler.mjs', answering('two'));
  const line = await daemon.reload();
  expect(line).toMatchObject({ msg: 'reloaded' });
  expect(await answer()).toBe('#two');
  early.send('again').finish();
  await early.end();
  expect(early.received.toString()).toBe('#one#one');
  write('handler.mjs', answering('one'));
  await daemon.reload();
  expect(await answer()).toBe('#one');
  expect(await daemon.reload()).toMatchObject({ msg: 'the configuration is unchanged' });
});

test('a handler with a syntax error is refused by name, the old one runs on, the mended one is taken', async () => {
  write('handler.mjs', 'export default (');
  const refusal = await daemon.reload();
  expect(refusal).toMatchObject({ level: 'error', problems: 1 });
  expect(daemon.lines[daemon.lines.indexOf(refusal) + 1]?.msg).toMatch(
    /handler file:[^?]*handler\.mjs: Unexpected/,
  );
  expect(await answer()).toBe('#one');
  write('handler.mjs', answering('two'));
  expect(await daemon.reload()).toMatchObject({ msg: 'reloaded' });
  expect(await answer()).toBe('#two');
});

test.each([
  { why: 'broken', spoil: () => write('handler.mjs', 'export default (') },
  { why: 'gone', spoil: () => rmSync(`${daemon.folder.path}/handler.mjs`) },
  { why: 'another one that nobody asked for', spoil: () => write('handler.mjs', answering('three')) },
])(
  'a worker that dies afterwards comes back with what was accepted, though the file is $why',
  async ({ spoil }) => {
    write('handler.mjs', answering('two'));
    await daemon.reload();
    spoil();
    const victim = await open();
    victim.send('die');
    await victim.end();
    await eventually(
      'another worker',
      async () => (await daemon.metric('anyport_worker_restarts_total')) === 1,
    );
    await daemon.metricBecomes('anyport_workers', 1);
    expect(await answer()).toBe('#two');
  },
);

test('what is no module file is refused unread, and nothing waits for it', async () => {
  const { path } = daemon.folder;
  execFileSync('mkfifo', [`${path}/pipe.mjs`]);
  write('large.mjs', '');
  truncateSync(`${path}/large.mjs`, MODULE_BYTES_MAX + 1);
  for (const [handler, says] of [
    ['/dev/zero', /is no regular file: \/dev\/zero/],
    ['./pipe.mjs', /is no regular file: .*pipe\.mjs/],
    ['./', /is no regular file/],
    ['./large.mjs', /larger than \d+ bytes, which no module needs: .*large\.mjs/],
  ] as const) {
    const refusal = await daemon.reload({ protocols: [{ ...config.protocols[0], handler }] });
    expect(daemon.lines[daemon.lines.indexOf(refusal) + 1]?.msg).toMatch(says);
  }
  expect(await answer()).toBe('#one');
  expect(await daemon.reload(config)).toMatchObject({ msg: 'the configuration is unchanged' });
});

test('a validator that has changed decides about new sessions', async () => {
  const validated = { protocols: [{ ...config.protocols[0], validator: './validator.mjs' }] };
  write('validator.mjs', "export default () => 'match';");
  await daemon.reload(validated);
  expect(await answer()).toBe('#one');
  write('validator.mjs', "export default () => 'no';");
  expect(await daemon.reload(validated)).toMatchObject({ msg: 'reloaded', protocols: { changed: 1 } });
  const refused = (await dial(daemon.port)).send(Buffer.from([0xaa]));
  await refused.end();
  expect(refused.length).toBe(0);
});

test.each([
  { why: 'never ends', text: 'for (;;);', says: /importing it takes longer than 5000 ms/ },
  {
    why: 'ends its thread',
    text: 'process.exit(3);',
    says: /importing it ends its thread \(exit status 3\)/,
  },
  { why: 'waits for ever', text: 'await new Promise(() => {});', says: /importing it/ },
])('a handler whose import $why costs no session', async ({ text, says }) => {
  const early = await open();
  write('handler.mjs', `${text}\n${answering('two')}`);
  const refusal = await daemon.reload();
  expect(refusal).toMatchObject({ level: 'error', problems: 1 });
  expect(daemon.lines[daemon.lines.indexOf(refusal) + 1]?.msg).toMatch(says);
  early.send('again').finish();
  await early.end();
  expect(early.received.toString()).toBe('#one#one');
  expect(await daemon.metric('anyport_worker_restarts_total')).toBe(0);
});
