/** Files of endpoints as a provider: followed however they are written, and never lost by what is wrong. */
import { mkdirSync, renameSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { serviceOfFile } from '../../src/base/address.js';
import { systemClock } from '../../src/base/clock.js';
import type { Discovery, UpstreamConfig } from '../../src/model/config.js';
import { files } from '../../src/providers/files.js';
import type { Provider } from '../../src/providers/provider.js';
import { optionsWith } from '../support/plan.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';

let folder: TempFolder;
let provider: Provider;
let seen: Discovery;
let published: number;
let said: object[];

beforeEach(() => {
  folder = tempFolder();
  published = 0;
  said = [];
});
afterEach(() => {
  provider.stop();
  folder.remove();
});

const at = (name: string) => join(folder.path, name);
const targets = (...names: string[]) => JSON.stringify([{ targets: names }]);

const of = (...names: string[]): UpstreamConfig => ({
  name: 'web',
  handler: null,
  via: null,
  options: optionsWith(),
  endpoints: names.map((name) => {
    const service = serviceOfFile(at(name));
    return { name: service, address: { service }, weight: 1, backup: false };
  }),
});

async function start(...names: string[]) {
  const say = (fields: object, message: string) => said.push({ ...fields, message });
  provider = files([of(...names)], { clock: systemClock, warn: say, info: say });
  seen = await provider.start((discovery) => {
    published += 1;
    seen = discovery;
  });
}

const found = (name: string) =>
  seen.services.get(serviceOfFile(at(name)))?.value.map((endpoint) => endpoint.name);
const finds = (name: string, ...expected: string[]) =>
  eventually(`${name} to say ${expected}`, () => found(name)?.join() === expected.join());

test('is read at the start', async () => {
  writeFileSync(at('a.json'), targets('10.0.0.1:80', '10.0.0.2:80'));
  await start('a.json');
  expect(found('a.json')).toEqual(['10.0.0.1:80', '10.0.0.2:80']);
});

test.each([
  ['written in place', (text: string) => writeFileSync(at('a.json'), text)],
  [
    'replaced by another',
    (text: string) => {
      writeFileSync(at('new'), text);
      renameSync(at('new'), at('a.json'));
    },
  ],
  [
    'gone, and there again',
    (text: string) => {
      unlinkSync(at('a.json'));
      writeFileSync(at('a.json'), text);
    },
  ],
])('is followed when it is %s', async (_, write) => {
  writeFileSync(at('a.json'), targets('10.0.0.1:80'));
  await start('a.json');
  write(targets('10.0.0.2:80'));
  await finds('a.json', '10.0.0.2:80');
  expect(published).toBe(1);
});

test('is followed through links, as those of a ConfigMap', async () => {
  for (const name of ['one', 'two']) {
    mkdirSync(at(name));
    writeFileSync(join(at(name), 'a.json'), targets(`${name}:80`));
  }
  symlinkSync('one', at('..data'));
  symlinkSync('..data/a.json', at('a.json'));
  await start('a.json');
  expect(found('a.json')).toEqual(['one:80']);
  symlinkSync('two', at('..new'));
  renameSync(at('..new'), at('..data'));
  await finds('a.json', 'two:80');
});

test.each([
  ['gone', () => unlinkSync(at('a.json')), 'no such file'],
  ['empty', () => writeFileSync(at('a.json'), ''), 'is empty: `[]` says that there are no endpoints'],
  [
    'half written',
    () => writeFileSync(at('a.json'), '[{"targets": ['),
    'is not JSON: Unexpected end of JSON input',
  ],
  [
    'a folder',
    () => {
      unlinkSync(at('a.json'));
      mkdirSync(at('a.json'));
    },
    'is no regular file',
  ],
])('keeps what it said last when it is %s, and says so once', async (_, spoil, error) => {
  writeFileSync(at('a.json'), targets('10.0.0.1:80'));
  writeFileSync(at('b.json'), targets('10.0.0.1:81'));
  await start('a.json', 'b.json');
  spoil();
  await eventually('a word about it', () => said.length > 0);
  expect(said).toEqual([
    { file: at('a.json'), error, keeping: 1, message: 'a file of endpoints can not be used' },
  ]);
  // What comes behind it shows that it has been looked at.
  writeFileSync(at('b.json'), targets('10.0.0.1:82'));
  await finds('b.json', '10.0.0.1:82');
  expect(found('a.json')).toEqual(['10.0.0.1:80']);
  rmSync(at('a.json'), { recursive: true, force: true });
  writeFileSync(at('a.json'), targets('10.0.0.1:80'));
  await eventually('the end of it', () => said.some((line) => 'message' in line && line.message === AGAIN));
  expect(found('a.json')).toEqual(['10.0.0.1:80']);
});

const AGAIN = 'a file of endpoints can be used again';

test('that says that there are no endpoints has none', async () => {
  writeFileSync(at('a.json'), targets('10.0.0.1:80'));
  await start('a.json');
  writeFileSync(at('a.json'), '[]');
  await finds('a.json');
  expect(found('a.json')).toEqual([]);
});

test('that comes later is unknown until then', async () => {
  await start('later/a.json');
  expect(found('later/a.json')).toBeUndefined();
  mkdirSync(at('later'));
  writeFileSync(at('later/a.json'), targets('10.0.0.1:80'));
  await finds('later/a.json', '10.0.0.1:80');
});

test('has host names, which are looked up', async () => {
  writeFileSync(at('a.json'), targets('localhost:80'));
  await start('a.json');
  expect(seen.hosts.get('localhost')?.value).toContain('127.0.0.1');
});

test('of another configuration are read before it counts, and forgotten when it does not', async () => {
  writeFileSync(at('a.json'), targets('10.0.0.1:80'));
  writeFileSync(at('b.json'), targets('10.0.0.2:80'));
  await start('a.json');
  seen = await provider.include([of('b.json')]);
  expect([found('a.json'), found('b.json')]).toEqual([['10.0.0.1:80'], ['10.0.0.2:80']]);
  provider.retain([of('a.json')]);
  writeFileSync(at('a.json'), targets('10.0.0.3:80'));
  await finds('a.json', '10.0.0.3:80');
  expect(found('b.json')).toBeUndefined();
});
