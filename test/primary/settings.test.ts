/** The queue of changes: what is read, in which order, and what each caller hears. Documents are really checked. */
import { describe, expect, test } from 'vitest';
import { createLogger } from '../../src/base/log.js';
import { type Loaded, loadConfig } from '../../src/config/load.js';
import type { Document } from '../../src/model/config.js';
import type { Changed } from '../../src/primary/reconfiguration.js';
import { Reloads, reloadLimits } from '../../src/primary/reloads.js';
import { RunningSettings, settingsLimits } from '../../src/primary/settings.js';
import { settled } from '../base/fake-clock.js';

const check = (document: Document): Loaded => loadConfig({ document, directory: '/' });

const having = (...names: string[]): Document => ({
  protocols: names.map((name, n) => ({ name, target: '127.0.0.1:1', start_bytes: [`c${n}`] })),
});

function start() {
  const lines: { level: string; msg: string; [field: string]: unknown }[] = [];
  const log = createLogger({ level: 'info', write: (line) => lines.push(JSON.parse(line)) });
  const first = check(having('First'));
  if (!first.ok) throw new Error('the first document is not right');
  const changes: string[][] = [];
  const applied: string[][] = [];
  let file: Document = having('First');
  let generation = 1;
  /** Ends the change that is being put into force. */
  let end: (changed: Changed['result']) => void = () => {};
  const reloads = new Reloads(log, () => 0);
  const settings = new RunningSettings({
    config: first.config,
    source: {
      document: having('First'),
      name: 'first',
      reload: async () => check(file),
      check: async (document) => check(document),
      applied: ({ config }) => applied.push(config.protocols.map(({ name }) => name)),
    },
    change: (config) => {
      changes.push(config.protocols.map(({ name }) => name));
      return new Promise<Changed>((resolve) => {
        end = (result) => {
          const problems = [{ file: null, line: null, column: null, path: 'x', message: 'not today' }];
          if (result === 'applied') generation += 1;
          resolve(result === 'refused' ? { result, problems } : ({ result, generation } as Changed));
        };
      });
    },
    reloads,
    nowMs: () => 0,
  });
  return {
    ...{ settings, reloads, lines, changes, applied },
    write: (document: Document) => {
      file = document;
    },
    async end(result: Changed['result'] = 'applied') {
      await settled();
      end(result);
      await settled();
    },
  };
}

const added = (name: string) => (document: Document) => {
  const names = (document.protocols as { name: string }[]).map((each) => each.name);
  return having(...names, name);
};

describe('changes', () => {
  test('of whole configurations that wait, the newest counts', async () => {
    const { settings, changes, end, write } = start();
    const running = settings.replace(having('A'), 'admin');
    await settled();
    const [second, third] = [settings.reload('signal'), settings.replace(having('C'), 'admin')];
    write(having('D'));
    const fourth = settings.reload('file');
    expect([await second, await third]).toEqual([{ result: 'superseded' }, { result: 'superseded' }]);
    await end();
    await end();
    expect([await running, await fourth]).toMatchObject([{ result: 'applied' }, { result: 'applied' }]);
    expect(changes).toEqual([['A'], ['D']]);
  });

  test('that are edits run one after the other, each on what the one before left', async () => {
    const { settings, changes, applied, end } = start();
    const edits = ['B', 'C', 'D'].map((name) => settings.edit(added(name), 'library'));
    await end();
    await end('refused');
    await end();
    expect((await Promise.all(edits)).map(({ result }) => result)).toEqual(['applied', 'refused', 'applied']);
    expect(changes.at(-1)).toEqual(['First', 'B', 'D']);
    expect(applied).toEqual([
      ['First', 'B'],
      ['First', 'B', 'D'],
    ]);
    expect(settings.current.document).toEqual(having('First', 'B', 'D'));
  });

  test('a configuration keeps its name beside what providers say, and has that of whoever replaces it', async () => {
    const { settings, end } = start();
    for (const cause of ['etcd', 'docker', 'admin'] as const) {
      void settings.edit(added(cause), cause);
      await end();
      expect(settings.current.name).toBe('first');
    }
    void settings.replace(having('A'), 'admin');
    await end();
    expect(settings.current.name).toBe('the control interface');
    void settings.edit(added('B'), 'etcd');
    await end();
    expect(settings.current.name).toBe('the control interface');
    void settings.reload('signal');
    await end();
    expect(settings.current.name).toBe('document');
  });

  test('a whole configuration does not make an edit before it superfluous', async () => {
    const { settings, changes, end } = start();
    const results = [
      settings.replace(having('A'), 'admin'),
      settings.edit(added('B'), 'admin'),
      settings.replace(having('C'), 'admin'),
    ];
    for (let n = 0; n < 3; n++) await end();
    expect((await Promise.all(results)).map(({ result }) => result)).toEqual([
      'applied',
      'applied',
      'applied',
    ]);
    expect(changes).toEqual([['A'], ['A', 'B'], ['C']]);
  });

  test('that make no difference are unchanged, and nothing is put into force', async () => {
    const { settings, changes, reloads } = start();
    expect(await settings.reload('signal')).toEqual({ result: 'unchanged' });
    expect(changes).toEqual([]);
    expect(reloads.counts).toEqual({ applied: 0, refused: 0, unchanged: 1 });
  });

  test('over the limit are refused, those that wait are not lost', async () => {
    const { settings, end, changes } = start();
    const waiting = Array.from({ length: settingsLimits.waitingMax + 1 }, (_, n) =>
      settings.edit(() => having(`P${n % 2}`), 'admin'),
    );
    await settled();
    const [first, ...over] = waiting.toReversed();
    expect(await first).toMatchObject({
      result: 'refused',
      problems: [{ message: expect.stringContaining('waiting') }],
    });
    for (const _ of over) await end();
    expect(changes).toHaveLength(settingsLimits.waitingMax);
  });
});

describe('a refusal', () => {
  test('says every problem, keeps what is in force, and is the last change', async () => {
    const { settings, lines } = start();
    const bad = { server: { workers: 'many' }, protocols: [{ name: 'X' }] };
    const result = await settings.replace(bad, 'admin');
    expect(result).toMatchObject({
      result: 'refused',
      problems: [{ path: 'server.workers' }, { path: 'protocols[0].name' }],
    });
    expect(settings.current.document).toEqual(having('First'));
    expect(settings.last).toMatchObject({ cause: 'admin', result });
    expect(lines.map(({ level }) => level)).toEqual(['error', 'error', 'error']);
  });

  test('of an edit that the caller found wrong has its problem', async () => {
    const { settings } = start();
    const problem = { file: null, line: null, column: null, path: 'protocols', message: 'no such protocol' };
    expect(await settings.edit(() => problem, 'admin')).toEqual({ result: 'refused', problems: [problem] });
  });

  test('with very many problems is a bounded number of lines', async () => {
    const { settings, lines } = start();
    const protocols = Array.from({ length: 200 }, (_, n) => ({ name: `P${n}`, target: 7 }));
    await settings.replace({ protocols }, 'admin');
    expect(lines).toHaveLength(reloadLimits.problemsLoggedMax + 2);
    expect(lines.at(-1)).toMatchObject({ not_shown: 150 });
  });

  test('for the same reason again is counted, and not said again in the same second', async () => {
    const { settings, lines, reloads } = start();
    for (let n = 0; n < 20; n++) await settings.replace({ protocols: 7 }, 'admin');
    expect(reloads.counts.refused).toBe(20);
    const said = lines.filter(({ msg }) => msg.startsWith('reload refused'));
    expect(said.length).toBeLessThanOrEqual(1 + reloadLimits.sameOutcomesPerSecond);
  });
});

test('held, changes are refused with the reason; those before have ended by then', async () => {
  const { settings, end } = start();
  const before = settings.replace(having('A'), 'admin');
  let release: (() => void) | undefined;
  const held = settings.hold('an upgrade is under way').then((free) => {
    release = free;
  });
  await settled();
  expect(release).toBeUndefined();
  expect(await settings.reload('signal')).toMatchObject({
    problems: [{ message: 'an upgrade is under way' }],
  });
  await end();
  await held;
  expect(await before).toMatchObject({ result: 'applied' });
  release?.();
  const after = settings.replace(having('B'), 'admin');
  await end();
  expect(await after).toMatchObject({ result: 'applied' });
});

test('closed, what waits is called off', async () => {
  const { settings, end } = start();
  const running = settings.replace(having('A'), 'admin');
  await settled();
  const waiting = settings.edit(added('B'), 'admin');
  settings.close();
  expect(await waiting).toEqual({ result: 'called_off' });
  await end('called_off');
  expect((await running).result).toBe('called_off');
  expect(await settings.reload('signal')).toEqual({ result: 'called_off' });
});

test('a difference is found without a change', async () => {
  const { settings, changes } = start();
  expect(await settings.diff(having('First', 'B'))).toMatchObject({
    ok: true,
    diff: [
      { kind: 'protocol', name: 'B', change: 'added' },
      { kind: 'upstream', name: 'B', change: 'added' },
    ],
  });
  expect(await settings.diff({ ...having('First'), server: { buffer_size: 65_536 } })).toMatchObject({
    ok: false,
  });
  expect(changes).toEqual([]);
});
