/** Endpoints in a file that somebody else writes: sessions follow it, and nothing that is wrong with it costs one. */
import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { startControlled } from '../support/control.js';
import { anyport, type Daemon, startDaemon } from '../support/daemon.js';
import { dial, echo, listenTcp, type Upstream } from '../support/tcp.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';

const PING = 'PING\r\n';

let folder: TempFolder;
let first: Upstream;
let second: Upstream;
let daemon: Daemon | null;

beforeEach(async () => {
  folder = tempFolder();
  [first, second] = [await listenTcp(echo), await listenTcp(echo)];
  daemon = null;
});
afterEach(async () => {
  await daemon?.stop();
  await first.close();
  await second.close();
  folder.remove();
});

const file = (name = 'web.json') => join(folder.path, name);

/** As tools do it: written beside, then renamed over. */
function say(content: unknown): void {
  writeFileSync(file('new'), JSON.stringify(content));
  renameSync(file('new'), file());
}

const config = () => ({
  protocols: [{ name: 'Redis', target: 'u' }],
  upstreams: { u: { file_sd: [file()] } },
});

const start = async () => {
  daemon = await startDaemon(config());
  return daemon;
};

const session = async ({ port }: Daemon) => (await dial(port)).send(PING);

/** By the lines of sessions that a new one ends with. */
async function goesTo(running: Daemon): Promise<string | null> {
  const client = await session(running);
  await Promise.race([client.bytes(PING.length), client.ended]);
  client.finish();
  return (await running.sessionOf(client)).endpoint;
}

test('sessions go where it says, and one that is there stays; where it says so is told', async () => {
  say([{ targets: [first.target] }]);
  const { daemon: running, site } = await startControlled(config());
  daemon = running;
  const stays = await session(running);
  await stays.bytes(PING.length);
  say([{ targets: [second.target], labels: { anyport_weight: '2' } }]);
  await eventually('the second', async () => (await goesTo(running)) === second.target);
  stays.send(PING);
  await stays.bytes(2 * PING.length);

  const from = `file_sd: ${file()}`;
  const { upstreams } = (await site.get('/api/v1/upstreams')).body;
  const inConfiguration = expect.stringMatching(/anyport\.yaml:\d+$/);
  expect(upstreams).toMatchObject([{ from: inConfiguration, endpoints: [{ name: second.target, from }] }]);
  const { saidBy } = (await site.get('/api/v1/status')).body;
  expect(saidBy).toMatchObject([{ endpoints: 0 }, { source: from, endpoints: 1 }]);
  const checked = await anyport(['check', running.file, '--origins', '--json']);
  expect(JSON.parse(checked.stdout).origins).toMatchObject([
    { kind: 'upstream', name: 'u', endpoints: [{ name: second.target, from }] },
    { kind: 'protocol', name: 'Redis', endpoints: [] },
  ]);
  writeFileSync(file('opening'), PING);
  const explained = await anyport(['explain', '-c', running.file, file('opening')]);
  expect(explained.stdout).toContain(`${from} (${second.target})`);
});

test('one that is broken or gone changes nothing, and an empty list takes the endpoints away', async () => {
  say([{ targets: [first.target] }]);
  const running = await start();
  writeFileSync(file(), '[{"targets": [');
  await eventually('a word about it', () => wordsOf(running).length === 1);
  expect(await goesTo(running)).toBe(first.target);
  unlinkSync(file());
  await eventually('another', () => wordsOf(running).length === 2);
  expect(await goesTo(running)).toBe(first.target);
  expect(wordsOf(running)).toMatchObject([
    { file: file(), error: 'is not JSON: Unexpected end of JSON input', keeping: 1 },
    { file: file(), error: 'no such file', keeping: 1 },
  ]);
  say([]);
  await eventually('no endpoint', async () => (await goesTo(running)) === null);
});

const wordsOf = ({ lines }: Daemon) =>
  lines.filter(({ msg }) => msg === 'a file of endpoints can not be used');

test('one that is not there yet holds up no start, and a name in it is looked up', async () => {
  const running = await start();
  expect(await goesTo(running)).toBe(null);
  const named = `localhost:${first.port}`;
  say([{ targets: [named] }]);
  await eventually('the endpoint', async () => (await goesTo(running)) === named);
});
