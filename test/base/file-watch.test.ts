/** Files watched for changes, with real files, folders and links. */
import {
  appendFileSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../src/base/clock.js';
import { addChain, type Chain } from '../../src/base/file-watch/chain.js';
import { FileWatch, watchLimits } from '../../src/base/file-watch/index.js';
import { type TempFolder, tempFolder } from '../support/temp.js';
import { eventually } from '../support/wait.js';
import { FakeClock } from './fake-clock.js';

let folder: TempFolder;
let watch: FileWatch | undefined;
let changes: number;

beforeEach(() => {
  folder = tempFolder();
  changes = 0;
});

afterEach(() => {
  watch?.close();
  folder.remove();
});

const at = (name: string) => `${folder.path}/${name}`;

const follow = (...names: string[]) => followBy(systemClock, ...names);

async function followBy(clock: Clock, ...names: string[]): Promise<void> {
  const changed = async () => {
    changes += 1;
  };
  watch = new FileWatch({ changed, clock, log: { warn: () => {} } });
  // Files of the past.
  await sleep(2 * watchLimits.clockGrainMs);
  watch.turn(true);
  await watch.follow(names.map(at), Date.now());
}

/** Lets the system's events of what was written come in, then time pass. */
async function passBy(clock: FakeClock, ms: number): Promise<void> {
  await sleep(5);
  await clock.pass(ms);
}

async function changesAre(count: number): Promise<void> {
  await eventually(`${count} changes (${changes})`, () => changes >= count);
  await sleep(2 * watchLimits.quietMs);
  expect(changes).toBe(count);
}

/** As Kubernetes mounts a ConfigMap. */
function mount(version: string, text: string): void {
  mkdirSync(at(`..${version}`));
  writeFileSync(at(`..${version}/anyport.yaml`), text);
  symlinkSync(`..${version}`, at('..data_tmp'));
  renameSync(at('..data_tmp'), at('..data'));
}

const ways: { why: string; before?: () => void; act: () => void }[] = [
  { why: 'written in place', act: () => writeFileSync(at('anyport.yaml'), 'b') },
  {
    why: 'replaced by another one',
    act: () => {
      writeFileSync(at('.new'), 'b');
      renameSync(at('.new'), at('anyport.yaml'));
    },
  },
  {
    why: 'a link that is swapped',
    before: () => {
      rmSync(at('anyport.yaml'));
      mount('v1', 'a');
      symlinkSync('..data/anyport.yaml', at('anyport.yaml'));
    },
    act: () => {
      mount('v2', 'b');
      rmSync(at('..v1'), { recursive: true });
    },
  },
  {
    why: 'a link to a file elsewhere that is written',
    before: () => {
      mkdirSync(at('elsewhere'));
      writeFileSync(at('elsewhere/real'), 'a');
      rmSync(at('anyport.yaml'));
      symlinkSync('elsewhere/real', at('anyport.yaml'));
    },
    act: () => writeFileSync(at('elsewhere/real'), 'b'),
  },
  { why: 'gone', act: () => rmSync(at('anyport.yaml')) },
];

describe('one change', () => {
  test.each(ways)('$why', async ({ before, act }) => {
    writeFileSync(at('anyport.yaml'), 'a');
    before?.();
    await follow('anyport.yaml');
    act();
    await changesAre(1);
    // And the next one is seen too.
    rmSync(at('anyport.yaml'), { force: true });
    writeFileSync(at('anyport.yaml'), 'c');
    await changesAre(2);
  });

  test('many writes in quick succession', async () => {
    writeFileSync(at('anyport.yaml'), '');
    const clock = new FakeClock();
    await followBy(clock, 'anyport.yaml');
    for (let n = 0; n < 10; n++) {
      appendFileSync(at('anyport.yaml'), `${n}`);
      await passBy(clock, watchLimits.quietMs * 0.9);
    }
    expect(changes).toBe(0);
    await clock.pass(watchLimits.quietMs);
    await eventually('a change', () => changes === 1);
    await passBy(clock, watchLimits.lookMs);
    expect(changes).toBe(1);
  });

  test('a name that comes into a folder, or goes', async () => {
    mkdirSync(at('conf.d'));
    await follow('conf.d');
    writeFileSync(at('conf.d/a.yaml'), '');
    await changesAre(1);
    writeFileSync(at('conf.d/.a.yaml.swp'), '');
    rmSync(at('conf.d/a.yaml'));
    await changesAre(2);
  });

  test('before it was told to watch, but after the file was read', async () => {
    writeFileSync(at('anyport.yaml'), 'a');
    const readAtMs = Date.now();
    watch = new FileWatch({
      changed: async () => {
        changes += 1;
      },
      clock: systemClock,
      log: { warn: () => {} },
    });
    watch.turn(true);
    await watch.follow([at('anyport.yaml')], readAtMs);
    await changesAre(1);
  });
});

test('in the very millisecond in which it is looked at first', async () => {
  const seen = new Set<string>();
  const watches: FileWatch[] = [];
  // It does not always happen.
  const names = Array.from({ length: 100 }, (_, index) => `${index}.yaml`);
  for (const name of names) {
    writeFileSync(at(name), 'a');
    const changed = async () => seen.add(name);
    const each = new FileWatch({ changed, clock: systemClock, log: { warn: () => {} } });
    watches.push(each);
    each.turn(true);
    const following = each.follow([at(name)], Date.now());
    writeFileSync(at('.new'), 'b');
    renameSync(at('.new'), at(name));
    await following;
  }
  await eventually('all changes', () => seen.size === names.length);
  for (const each of watches) each.close();
});

test('the folder goes, and comes back with another file', async () => {
  mkdirSync(at('etc'));
  writeFileSync(at('etc/anyport.yaml'), 'a');
  await follow('etc/anyport.yaml');
  renameSync(at('etc'), at('old'));
  await changesAre(1);
  mkdirSync(at('etc'));
  writeFileSync(at('etc/anyport.yaml'), 'b');
  await changesAre(2);
  writeFileSync(at('etc/anyport.yaml'), 'c');
  await changesAre(3);
});

describe('no change', () => {
  const nothing: { why: string; act: () => void }[] = [
    { why: 'touched', act: () => utimesSync(at('anyport.yaml'), new Date(), new Date()) },
    { why: 'written with the same text', act: () => writeFileSync(at('anyport.yaml'), 'a') },
    { why: 'another file in the folder', act: () => writeFileSync(at('other'), 'a') },
  ];
  test.each(nothing)('$why', async ({ act }) => {
    writeFileSync(at('anyport.yaml'), 'a');
    await follow('anyport.yaml');
    act();
    await changesAre(0);
  });

  test('while it is turned off', async () => {
    writeFileSync(at('anyport.yaml'), 'a');
    await follow('anyport.yaml');
    watch?.turn(false);
    writeFileSync(at('anyport.yaml'), 'b');
    await changesAre(0);
  });
});

test('a stream of events is looked at nevertheless, after a limited time', async () => {
  writeFileSync(at('anyport.yaml'), '');
  const clock = new FakeClock();
  await followBy(clock, 'anyport.yaml');
  let passedMs = 0;
  while (changes === 0 && passedMs < 2 * watchLimits.waitMsMax) {
    appendFileSync(at('anyport.yaml'), 'x');
    await passBy(clock, watchLimits.quietMs / 2);
    passedMs += watchLimits.quietMs / 2;
  }
  expect(changes).toBe(1);
  expect(passedMs).toBeGreaterThanOrEqual(watchLimits.waitMsMax);
});

test('an event is told at once, before the files are looked at', async () => {
  writeFileSync(at('anyport.yaml'), '');
  let heard = 0;
  watch = new FileWatch({
    changed: async () => {
      changes += 1;
    },
    heard: () => {
      heard += 1;
    },
    clock: new FakeClock(),
    log: { warn: () => {} },
  });
  await sleep(2 * watchLimits.clockGrainMs);
  watch.turn(true);
  await watch.follow([at('anyport.yaml')], Date.now());
  expect(heard).toBe(0);
  appendFileSync(at('anyport.yaml'), 'x');
  await eventually('an event', () => heard > 0);
  expect(changes).toBe(0);
});

test('the folders of a path are those of its last name and of its links', () => {
  mount('v1', 'a');
  symlinkSync('..data/anyport.yaml', at('anyport.yaml'));
  symlinkSync('loop', at('loop'));
  const chain: Chain = new Map();
  for (const name of ['anyport.yaml', 'missing/deep/file', 'loop']) addChain(at(name), chain);
  const own = new Set(['anyport.yaml', '..data', 'missing', 'loop']);
  expect(chain).toEqual(
    new Map([
      [folder.path, own],
      [at('..v1'), new Set(['anyport.yaml'])],
    ]),
  );
});
