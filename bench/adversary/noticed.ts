/**
 * One run: normal sessions at the daemon, with or without an attack. Every answer and every end is checked: normal
 * sessions have theirs, attackers none, and the daemon's books have each of both.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Attacked, startAttackers } from '../../test/support/attackers.js';
import type { Daemon } from '../../test/support/daemon.js';
import { type Sample, total } from '../../test/support/metrics.js';
import { cpuNanoseconds } from '../../test/support/proc.js';
import { checkLoad, type LoadFigures, type LoadShape, startLoad } from '../../test/support/steady.js';
import type { Attack } from './attacks.js';

export interface Noticed {
  /** Of the proxy, for normal sessions and attackers. */
  readonly cpuNanoseconds: number;
  readonly sessions: number;
  readonly attackers: number;
  /** Of round trips on sessions that stay open. */
  readonly pingP99Us: number;
  /** From connect to close of short sessions. */
  readonly sessionP99Us: number;
  /** Share of short sessions that were refused. */
  readonly lost: number;
  /** Connections of attackers per second; 0 in a quiet run. */
  readonly attackRate: number;
}

export interface Target {
  readonly pid: number;
  readonly port: number;
  /** Null: HAProxy, which keeps none like ours. */
  readonly daemon: Daemon | null;
  /** Normal sessions, the same in all runs. */
  readonly load: LoadShape;
}

/** Of attackers: on a small machine they would take the cores of normal clients, which no attacker can. */
const LOWEST = { nice: 19 };

/** `elsewhere`: port of another program that is attacked instead, so that only the machine is shared with attackers. */
export async function measureNormal(
  { pid, daemon, port, load: shape }: Target,
  attack: Attack | null,
  seconds: number,
  elsewhere?: number,
): Promise<Noticed> {
  const here = elsewhere === undefined ? attack : null;
  const before = daemon && (await settledBooks(daemon, here));
  const cpuBefore = cpuNanoseconds(pid);
  const load = await startLoad([port], shape);
  const attackers = attack && (await startAttackers(elsewhere ?? port, attack.orders, LOWEST));
  await sleep(seconds * 1000);
  const attacked = await attackers?.stop();
  const figures = await load.stop();
  const cpu = cpuNanoseconds(pid) - cpuBefore;
  checkLoad(figures, here?.refuses === true);
  const attackedHere = here === null ? undefined : (attacked ?? undefined);
  if (daemon && before) compareBooks(here, before, await settledBooks(daemon, here), figures, attackedHere);
  const short = figures.sessions + figures.failed;
  return {
    cpuNanoseconds: cpu,
    sessions: figures.sessions + figures.long,
    attackers: attackedHere?.opened ?? 0,
    pingP99Us: figures.ping_p99_us,
    sessionP99Us: figures.session_p99_us,
    lost: figures.failed / short,
    attackRate: attacked ? attacked.opened / attacked.seconds : 0,
  };
}

/** CPU nanoseconds per connection of attackers, with nobody else there. */
export async function measureAlone(
  { pid, daemon, port }: Target,
  { name, orders, reasons }: Attack,
  seconds: number,
): Promise<number> {
  const before = daemon && (await settledBooks(daemon, null));
  const cpuBefore = cpuNanoseconds(pid);
  const attackers = await startAttackers(port, orders, LOWEST);
  await sleep(seconds * 1000);
  const { opened } = await attackers.stop();
  const cpu = cpuNanoseconds(pid) - cpuBefore;
  const grown = daemon && before ? (await settledBooks(daemon, null)).accepted - before.accepted : opened;
  if (grown < opened) throw new Error(`${name}: ${grown} accepted, not ${opened} (${reasons.join()})`);
  return cpu / opened;
}

interface Books {
  readonly accepted: number;
  /** Reason → sessions. */
  readonly ended: ReadonlyMap<string, number>;
}

/** Once nothing is open any more: accepted is the sum of all reasons. */
async function settledBooks(daemon: Daemon, attack: Attack | null): Promise<Books> {
  await daemon.metricBecomes('anyport_sessions_active', 0);
  const books = booksFrom(await daemon.metrics());
  const sum = [...books.ended.values()].reduce((all, count) => all + count, 0);
  if (sum !== books.accepted)
    throw new Error(`${attack?.name ?? 'quiet'}: ${books.accepted} accepted, ${sum} ended`);
  return books;
}

function booksFrom(samples: readonly Sample[]): Books {
  const ended = new Map<string, number>();
  for (const { name, labels, value } of samples)
    if (name === 'anyport_sessions_total')
      ended.set(labels.reason ?? '', (ended.get(labels.reason ?? '') ?? 0) + value);
  return { accepted: total(samples, 'anyport_accepted_total'), ended };
}

/** Normal sessions are `done`, those of attackers ended as they may, and none is missing. */
function compareBooks(
  attack: Attack | null,
  before: Books,
  after: Books,
  { sessions, failed, long }: LoadFigures,
  attacked: Attacked | undefined,
): void {
  const grown = (reason: string) => (after.ended.get(reason) ?? 0) - (before.ended.get(reason) ?? 0);
  const others = [...after.ended.keys()].filter((reason) => reason !== 'done' && grown(reason) > 0);
  const wrong = others.filter((reason) => !attack?.reasons.includes(reason));
  const told = others.map((reason) => `${reason} ${grown(reason)}`).join(', ');
  if (wrong.length > 0) throw new Error(`${attack?.name ?? 'quiet'}: sessions ended as ${told}`);
  if (grown('done') !== sessions + long)
    throw new Error(`${grown('done')} sessions done, not ${sessions + long}; ${told}`);
  const wanted = failed + (attacked?.opened ?? 0);
  const rest = others.reduce((sum, reason) => sum + grown(reason), 0);
  // Those that gave up while the kernel did not answer may have been accepted.
  if (rest < wanted || rest > wanted + (attacked?.unanswered ?? 0))
    throw new Error(`${attack?.name}: ${rest} sessions of attackers in the books, not ${wanted}: ${told}`);
}
