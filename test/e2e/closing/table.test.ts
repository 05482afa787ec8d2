/**
 * All closing orders through the daemon, beside a direct connection of the observer's kind. Differences are those of
 * docs/architecture.md ("What a Unix socket can not be told"), and no others.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Daemon, startDaemon } from '../../support/daemon.js';
import { freePort } from '../../support/ports.js';
import { type TempFolder, tempFolder } from '../../support/temp.js';
import { type Act, acts, type Moment, moments, type Side, seen, type Way } from './orders.js';

const sides: readonly Side[] = ['client', 'server'];
const kinds = ['tcp', 'unix'] as const;
type Kind = (typeof kinds)[number];

interface Path {
  readonly actor: Side;
  /** Of the client's connection and the server's. */
  readonly front: Kind;
  readonly back: Kind;
}

const paths: readonly Path[] = sides.flatMap((actor) =>
  kinds.flatMap((front) => kinds.map((back) => ({ actor, front, back }))),
);

const nameOf = ({ actor, front, back }: Path): string => `${actor} of ${front}>${back}`;

const orders = acts.flatMap((act) => (Object.keys(moments) as Moment[]).map((moment) => ({ act, moment })));

let daemon: Daemon;
let folder: TempFolder;
const ways = new Map<string, Way>();
const results = new Map<string, string>();

const keyOf = (path: string, act: Act, moment: Moment): string => `${path}: ${act}, ${moment}`;

async function addressOf(kind: Kind, name: string): Promise<string> {
  return kind === 'tcp' ? `${await freePort()}` : `${folder.path}/${name}`;
}

const listenedAt = (address: string): string =>
  address.startsWith('/') ? `unix:${address}` : `127.0.0.1:${address}`;

beforeAll(async () => {
  folder = tempFolder();
  for (const [n, path] of paths.entries())
    ways.set(nameOf(path), {
      front: await addressOf(path.front, `f${n}`),
      back: await addressOf(path.back, `b${n}`),
    });
  const all = [...ways.values()];
  daemon = await startDaemon({
    protocols: [{ name: 'Any', start_bytes: ['61'] }],
    listeners: all.map(({ front }, n) => ({ name: `l${n}`, address: listenedAt(front) })),
    routes: all.map((_, n) => ({ when: { listener: `l${n}` }, to: `u${n}` })),
    upstreams: Object.fromEntries(all.map(({ back }, n) => [`u${n}`, { endpoints: [listenedAt(back)] }])),
  });
  for (const kind of kinds) {
    for (const actor of sides) {
      const address = await addressOf(kind, `d${actor}`);
      ways.set(`${actor} of direct ${kind}`, { front: address, back: address });
    }
  }
  await Promise.all([...ways.keys()].map(runAll));
});

afterAll(async () => {
  await daemon.stop();
  folder.remove();
});

async function runAll(path: string): Promise<void> {
  const actor = path.split(' ')[0] as Side;
  for (const { act, moment } of orders) {
    // A Unix socket has no RST of its own.
    if (act === 'reset' && kindOf(path, actor) === 'unix') continue;
    results.set(keyOf(path, act, moment), await seen({ actor, act, moment }, ways.get(path) as Way));
  }
}

/** The kind of a side's connection. */
function kindOf(path: string, side: Side): Kind {
  const kindsOfPath = (path.split(' ').at(-1) as string).split('>');
  return kindsOfPath.at(side === 'client' ? 0 : -1) as Kind;
}

const otherSide = (side: Side): Side => (side === 'client' ? 'server' : 'client');

const isAbrupt = (act: Act): boolean => act === 'reset' || act.endsWith('unread');

/** What is right: every byte that the kernel took, then the end as it was. */
function right(path: Path, act: Act): string {
  if (act === 'fin') return 'all, fin, answers';
  return isAbrupt(act) && kindOf(nameOf(path), otherSide(path.actor)) === 'tcp' ? 'all, reset' : 'all, fin';
}

/** Why a session may look otherwise than a direct connection. */
function statedDifference(path: Path, act: Act, moment: Moment): boolean {
  if (!isAbrupt(act)) return false;
  // A reset overtakes bytes on a direct connection; the relay has them already and delivers them first.
  if (moment === 'during') return true;
  // There is no RST to send on a Unix socket.
  return kindOf(nameOf(path), otherSide(path.actor)) === 'unix';
}

test.each(paths)('$actor acts, $front>$back', (path) => {
  const name = nameOf(path);
  const observer = kindOf(name, otherSide(path.actor));
  for (const { act, moment } of orders) {
    const through = results.get(keyOf(name, act, moment));
    if (through === undefined) continue;
    expect(through, `${act}, ${moment}`).toBe(right(path, act));
    const direct = results.get(keyOf(`${path.actor} of direct ${observer}`, act, moment));
    if (direct === undefined || statedDifference(path, act, moment)) continue;
    expect(through, `${act}, ${moment}`).toBe(direct);
  }
});

afterAll(() => {
  const head = ['direct tcp', 'tcp>tcp', 'unix>tcp', 'direct unix', 'tcp>unix', 'unix>unix'];
  for (const actor of sides) {
    // From the observer's side: the same columns for both.
    const columns = actor === 'client' ? head : head.map((name) => name.split('>').reverse().join('>'));
    const lines = orders.map(({ act, moment }) => [
      `${act}, ${moment}`,
      ...columns.map((column) => results.get(keyOf(`${actor} of ${column}`, act, moment)) ?? '-'),
    ]);
    const rows = [[`the ${actor} ends, the other side sees`, ...columns], ...lines];
    console.log(
      rows
        .map(([first = '', ...cells]) => first.padEnd(36) + cells.map((cell) => cell.padEnd(20)).join(''))
        .join('\n'),
    );
  }
});
