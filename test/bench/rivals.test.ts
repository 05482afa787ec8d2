/** Those that `npm run bench` compares with relay every byte, and one that is absent is named with its reason. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Rival, Setting } from '../../bench/system/contender.js';
import { rivals } from '../../bench/system/contenders/index.js';
import { allowedCores, coresFor } from '../../bench/system/cores.js';
import { takingPart } from '../../bench/system/line-up.js';
import type { Run } from '../../bench/system/measure.js';
import { figuresOf, summary, table } from '../../bench/system/table.js';
import { type Workload, workloads } from '../../bench/system/workloads.js';
import { freePort } from '../support/ports.js';
import { type Running, runProgram, startProgram } from '../support/process.js';
import { provide, startEndpoint } from '../support/steady.js';

const workload = (name: string, client: Workload['client'] = ['fetch', 1, 1, 1]): Workload => {
  const found = workloads(0.001).find((each) => each.name === name);
  if (!found) throw new Error(`no workload ${name}`);
  return { ...found, client, units: 1 };
};

describe('a rival relays every byte', () => {
  let endpoint: Awaited<ReturnType<typeof startEndpoint>>;
  /** Takes hellos. */
  let named: Running & { readonly port: number };
  let client: string;

  beforeAll(async () => {
    endpoint = await startEndpoint();
    const port = await freePort();
    named = { ...(await startProgram(await provide('endpoint'), [`${port}`, 'hello'], port)), port };
    [client = ''] = await Promise.all(['client', 'relay', 'refuser'].map(provide));
  });
  afterAll(() => Promise.all([endpoint.stop(), named.stop()]));

  const ping = ['ping', 1, 20];
  const download = ['fetch', 1, 1, 20_000_000];

  /** sslh-select 1.20 cuts connections that come while others end, such as those that ask whether it serves. */
  const againOf = ({ name }: Rival): number => (name === 'sslh' ? 10 : 0);

  async function through(rival: Rival, setting: Setting, ...asked: (string | number)[][]): Promise<void> {
    const { port, stop } = await rival.start((setting.sni ? named : endpoint).port, setting);
    try {
      for (const [mode, ...numbers] of asked) {
        const ask = () => runProgram(client, [mode, port, ...numbers].map(String));
        let finished = await ask();
        for (let again = againOf(rival); again > 0 && finished.status !== 0; again -= 1)
          finished = await ask();
        expect(finished, `${mode}`).toMatchObject({ status: 0, stderr: '' });
      }
    } finally {
      await stop();
    }
  }

  test.each(rivals)('$name', async (rival) => {
    await through(rival, { tuning: 'messages' }, ping, download);
    await through(rival, { tuning: 'bulk' }, download);
  });

  const able = (setting: Setting) =>
    rivals.filter((rival) => rival.lacks({ setting, connections: 1, unfinished: null }) === null);

  const byName: Setting = { tuning: 'messages', sni: 'bench.example.com' };
  test.each(able(byName))('$name routes by server name', async (rival) => {
    await through(rival, byName, ['hello', 1, 1]);
  });

  const refusing: Setting = { tuning: 'messages', refused: '127.0.0.0/8' };
  test.each(able(refusing))('$name refuses a network', async (rival) => {
    await through(rival, refusing, ['refused', 1, 20]);
  });

  test.each(able({ ...byName, sni: 'other.example.com' }).filter(({ name }) => name !== 'floor'))(
    '$name leads other names nowhere',
    async (rival) => {
      const { port, stop } = await rival.start(named.port, { ...byName, sni: 'other.example.com' });
      const { status } = await runProgram(client, ['hello', `${port}`, '1', '1']);
      await stop();
      expect(status).toBe(1);
    },
  );
});

describe('who takes part', () => {
  const rival = (name: string, change: Partial<Rival> = {}): Rival => ({
    ...{ name, packages: `${name}-package`, version: () => '1', lacks: () => null },
    start: () => Promise.reject(new Error('not started')),
    ...change,
  });
  const all = [
    rival('HAProxy'),
    rival('gone', { version: () => undefined }),
    rival('small', { lacks: ({ connections }) => (connections > 64 ? 'has 64 places' : null) }),
  ];
  const choice = {
    against: ['direct', 'anyport', 'beside', ...all.map(({ name }) => name)],
    beside: undefined,
  };

  test('what is not installed or can not do it is named, with the reason', () => {
    const { starts, absent } = takingPart(workload('ping-64', ['ping', 65, 1]), choice, all);
    expect([...starts.keys()]).toEqual(['direct', 'anyport', 'HAProxy']);
    expect(Object.fromEntries(absent)).toEqual({
      gone: 'is not installed (Debian: gone-package)',
      small: 'has 64 places',
    });
  });

  test('what was not asked for is not missing', () => {
    const { starts, absent } = takingPart(workload('conn'), { ...choice, against: ['small'] }, all);
    expect([...starts.keys(), ...absent.keys()]).toEqual(['small']);
  });
});

test('anyport takes part otherwise too, as the workload says', () => {
  const choice = { against: ['anyport'], beside: undefined };
  expect([...takingPart(workload('log-conn'), choice).starts.keys()]).toEqual(['anyport', 'no log']);
});

const runs = (...costs: readonly (number | null)[]): Run[] =>
  costs.map((cost) => ({ cost, rate: cost === null ? 30_000 : 1e9 / cost }));

const compared = {
  workload: workload('conn'),
  results: new Map([
    ['direct', runs(null, null, null)],
    ['anyport', runs(40_000, 60_000, 50_000)],
    ['floor', runs(40_000, 40_000, 40_000)],
    ['HAProxy', runs(50_000, 50_000, 50_000)],
  ]),
  absent: new Map([['sslh', 'has one thread']]),
};

test('a table has medians with their spread, ratios of the rounds, and the absent', () => {
  const lines = table(compared).split('\n');
  expect(lines).toHaveLength(9);
  expect(lines[3]).toMatch(
    /^anyport +50\.0 \(40\.0–60\.0\) +1\.00 \(0\.80–1\.20\) +1\.25 \(1\.00–1\.50\) +20,000$/,
  );
  expect(lines.slice(-3)).toEqual([
    'without sslh, which has one thread',
    'anyport to HAProxy: 1.000 (0.800–1.200), at most 0.85: missed',
    'anyport to floor: 1.250 (1.000–1.500), at most 1: missed',
  ]);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(100);
});

test('a cost that the clock does not show makes no ratio', () => {
  const results = new Map([...compared.results, ['floor', runs(0, 0, 0)]]);
  expect(table({ ...compared, results })).not.toMatch(/NaN|Infinity/);
});

test('the summary and the file have the ratios of anyport to each', () => {
  expect(
    summary([compared])
      .split('\n')
      .slice(1, 3)
      .map((line) => line.split(/ {2,}/)),
  ).toEqual([
    ['', 'floor', 'HAProxy'],
    ['conn', '1.25 (1.00–1.50)', '1.00 (0.80–1.20)'],
  ]);
  expect(figuresOf(compared)).toMatchObject({
    name: 'conn',
    runs: { anyport: [{ cost: 40_000 }, {}, {}] },
    ratios: { floor: { median: 1.25, low: 1, high: 1.5, rounds: 3 } },
    absent: { sslh: 'has one thread' },
  });
});

test('a proxy and its load share no core, as far as there are two', () => {
  const allowed = allowedCores('Name:\tnode\nCpus_allowed_list:\t2-4,7\n');
  expect(allowed).toEqual([2, 3, 4, 7]);
  const told = (workers: number, cores: number[]) => {
    const { proxy, load } = coresFor(workers, cores);
    return [proxy.at(-1), load.at(-1)];
  };
  expect(told(1, allowed)).toEqual(['2', '3,4,7']);
  expect(told(2, [0, 1])).toEqual(['0,1', '0,1']);
  expect(told(1, [5])).toEqual(['5', '5']);
});
