/** Fragments of a configuration in etcd: which texts are read, what is asked for at a start, and how their status is written. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { askFragments } from '../../src/cluster/ask-fragments.js';
import type { KeyValue } from '../../src/cluster/etcd/wire.js';
import {
  cut,
  type FragmentStatus,
  formatStatus,
  parseStatus,
  statusKey,
  statusLimits,
} from '../../src/cluster/fragment-status.js';
import { fragmentLimits, readFragments } from '../../src/cluster/fragments.js';
import { StateFile } from '../../src/cluster/state-file.js';
import type { DistributedConfig } from '../../src/model/distributed.js';
import { configOf } from '../config/support.js';
import { anyport } from '../support/daemon.js';
import { Etcd, etcdTools } from '../support/etcd.js';
import { freePort } from '../support/ports.js';
import { tempFolder } from '../support/temp.js';
import { describeWith } from '../support/tools.js';

const item = (name: string, value: string | Buffer, modRevision = 7): KeyValue => ({
  key: `/anyport/config/${name}`,
  value: Buffer.from(value),
  modRevision,
});
const read = (...items: KeyValue[]) => readFragments('/anyport/config', items);

describe('what is read', () => {
  test('texts in the order of their names, with their revisions', () =>
    expect(read(item('20-b', 'routes: []', 9), item('10-a', 'é'))).toEqual({
      fragments: [
        { name: '10-a', from: 'key /anyport/config/10-a', revision: 7, text: 'é' },
        { name: '20-b', from: 'key /anyport/config/20-b', revision: 9, text: 'routes: []' },
      ],
      refused: [],
    }));

  const { bytesMax, totalBytesMax } = fragmentLimits;
  test.each<[string, KeyValue, RegExp]>([
    ['large', item('a', 'x'.repeat(bytesMax + 1)), /^has 262145 bytes, where 262144 are allowed$/],
    ['binary', item('a', Buffer.from([0xc3, 0x28])), /^is not UTF-8/],
    ['nested', item('a/b', ''), /^its name is none of a fragment/],
    ['nameless', item('', ''), /^its name is none/],
    ['hidden', item('.a', ''), /^its name is none/],
    ['strange', item('a\n', ''), /^its name is none/],
    ['long', item('a'.repeat(129), ''), /^its name is none/],
  ])('one that is %s is refused, the others are read', (_, bad, why) => {
    const { fragments, refused } = read(bad, item('good', 'routes: []'));
    expect(fragments.map(({ name }) => name)).toEqual(['good']);
    expect(refused).toMatchObject([{ revision: 7, fault: expect.stringMatching(why) }]);
  });

  test('as much as one file may have, those with the first names; a smaller one still fits', () => {
    const whole = 'x'.repeat(bytesMax);
    const names = Array.from({ length: totalBytesMax / bytesMax + 1 }, (_, index) => `n${index}`);
    const { fragments, refused } = read(...names.map((name) => item(name, whole)), item('z', ''));
    expect(fragments.map(({ name }) => name)).toEqual([...names.slice(0, -1), 'z']);
    expect(refused).toMatchObject([
      { name: names.at(-1), fault: expect.stringMatching(/^is more than 1048576 bytes/) },
    ]);
  });
});

describe('a status', () => {
  const status: FragmentStatus = { state: 'refused', revision: 9, inForce: 7, problems: ['1:1: is empty'] };

  test('is read as it was written', () =>
    expect(parseStatus(Buffer.from(formatStatus(status, new Date(0))))).toEqual({
      status,
      at: '1970-01-01T00:00:00.000Z',
    }));

  test('has a key for every name that can be typed', () => {
    expect(statusKey('/anyport', 'n1', 'web')).toBe('/anyport/status/n1/web');
    expect(statusKey('/anyport', 'n1', 'a/b c')).toBe('/anyport/status/n1/a/b c');
    for (const name of ['', 'a\n', 'é', 'x'.repeat(statusLimits.nameCharactersMax + 1)])
      expect(statusKey('/anyport', 'n1', name)).toBeNull();
  });

  test('is bounded, whoever wrote it', () => {
    expect(cut('x'.repeat(1000))).toHaveLength(statusLimits.charactersMax + 1);
    const problems = Array(100).fill('x'.repeat(140));
    const parsed = parseStatus(Buffer.from(JSON.stringify({ state: 'waiting', problems })));
    expect('status' in parsed && parsed.status.problems).toHaveLength(statusLimits.problemsMax);
    expect(parseStatus(Buffer.from('{"state":"fine"}'))).toEqual({ fault: 'an unknown state' });
    expect(parseStatus(Buffer.from('nonsense'))).toEqual({ fault: 'a value that is no JSON' });
  });
});

describeWith(...etcdTools)('at a start', () => {
  let etcd: Etcd;
  const folder = tempFolder();
  const stateFile = join(folder.path, 'state.json');
  beforeAll(async () => {
    etcd = await Etcd.start();
    const client = etcd.client();
    await client.put('/anyport/config/a', 'now');
    client.close();
    const state = new StateFile({ path: stateFile, clock: systemClock, onError: () => {} });
    state.save('/anyport/config/', { revision: 1, items: new Map([['a', item('a', 'before')]]) });
    await state.close();
  });
  afterAll(async () => {
    await etcd.remove();
    folder.remove();
  });

  const ask = async (more: Partial<DistributedConfig>) => {
    const text = `protocols: [{ name: HTTP, target: "10.0.0.1:80" }]
distributed: { enable: true, etcd_endpoints: ["${etcd.endpoints.join()}"], config_manager: {} }`;
    const { distributed } = configOf(text);
    if (distributed === null) throw new Error('unreachable');
    const { fragments, outage } = await askFragments({ ...distributed, ...more }, [], () =>
      Promise.reject(new Error('no names')),
    );
    return [...fragments.map((each) => each.text), ...(outage === null ? [] : [outage.isKept])];
  };

  test('what etcd has counts, and what is on disk where it does not answer', async () => {
    const nowhere = { endpoints: [`http://127.0.0.1:${await freePort()}`] };
    expect(await ask({ stateFile })).toEqual(['now']);
    expect(await ask({ ...nowhere, stateFile })).toEqual(['before', true]);
    expect(await ask(nowhere)).toEqual([false]);
    expect(await ask({ watchPrefix: '/elsewhere' })).toEqual([]);
    expect(await ask({ watchPrefix: null })).toEqual([]);
  });

  test('a command that looks at them says which are left out, and why', async () => {
    const client = etcd.client();
    await client.put('/anyport/config/\u001b[31mred', 'a: 1');
    await client.put('/anyport/services/web/1', '{"address": "nowhere"}');
    client.close();
    const origins = async (endpoint: string) => {
      const file = join(folder.path, 'anyport.yaml');
      const distributed = { enable: true, etcd_endpoints: [endpoint], config_manager: {} };
      const protocols = [{ name: 'HTTP', target: 'service:web' }];
      writeFileSync(file, JSON.stringify({ server: { listen: ':9090' }, protocols, distributed }));
      const { status, stderr } = await anyport(['check', file, '--origins']);
      return { status, said: stderr.trimEnd().split('\n') };
    };
    expect(await origins(etcd.endpoints[0] ?? '')).toEqual({
      status: 0,
      said: [
        expect.stringMatching(/^anyport: left out: etcd: key \/anyport\/config\/\\x1b\[31mred: its name/),
        expect.stringMatching(/^anyport: left out: etcd: .*services\/web\/1: /),
      ],
    });
    const port = await freePort();
    const why = `etcd at 127.0.0.1:${port}: connect ECONNREFUSED`;
    expect(await origins(`http://127.0.0.1:${port}`)).toEqual({
      status: 0,
      said: ['fragments', 'services'].map((what) =>
        expect.stringContaining(`anyport: without ${what}: ${why}`),
      ),
    });
  });
});
