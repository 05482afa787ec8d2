/**
 * Attacks, and what normal sessions notice of them: quiet and attacked runs in turn on one daemon, whose normal
 * sessions are the same in both. Figures are ratios of attacked to quiet, because absolute times say little on a
 * shared machine. Everything is on loopback and bounded; `npm run bench -- --only adversary` starts it in a network
 * namespace of its own. `--attack NAME`: those whose name starts with NAME; `--rounds N`; `--quick`; `--workers N`.
 * Exit status 1: a bound is broken with 95 % confidence.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { ATTACKERS, startAttackers } from '../../test/support/attackers.js';
import { startDaemon } from '../../test/support/daemon.js';
import { freePort } from '../../test/support/ports.js';
import { residentBytes } from '../../test/support/proc.js';
import { startProgram } from '../../test/support/process.js';
import { provide, startEndpoint } from '../../test/support/steady.js';
import { haproxy } from '../system/contenders/haproxy.js';
import { heading } from '../system/report.js';
import { haproxyVersion, versions } from '../system/versions.js';
import { type Attack, attacks, normalLoad } from './attacks.js';
import { measureAlone, measureNormal, type Noticed, type Target } from './noticed.js';
import { type Outcome, outcomeOf, type Rounds, refusalText, table } from './outcome.js';

const { values: options } = parseArgs({
  options: {
    attack: { type: 'string', default: '' },
    rounds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    workers: { type: 'string', default: '1' },
    only: { type: 'string' },
  },
});

const ROUNDS = Number(options.rounds ?? (options.quick ? 2 : 6));
const GARBAGE = 100_000;
const SECONDS = options.quick ? 2 : 6;
/** Attackers come back within a run. */
const IDENTIFY_SECONDS = 3;
const CONNECTIONS_MAX = 9000;
/** Time for garbage collection and for what is given back late. */
const REST_MS = 5000;

interface Victim extends Target {
  readonly name: string;
  stop(): Promise<void>;
}

async function startVictim(
  endpoint: string,
  { listener, config, wrapper, load = normalLoad }: Attack,
): Promise<Victim> {
  const port = await freePort();
  const daemon = await startDaemon(
    {
      server: {
        workers: Number(options.workers),
        max_connections: CONNECTIONS_MAX,
        identify_timeout: `${IDENTIFY_SECONDS}s`,
      },
      listeners: [{ name: 'front', address: `127.0.0.1:${port}`, on_unknown: 'reset', ...listener }],
      protocols: ['Redis', 'HTTP', 'TLS'].map((name) => ({ name, target: endpoint })),
      // Names are wanted, so requests and hellos are read to their end.
      routes: [
        { when: { protocol: 'HTTP', host: 'a.test' }, to: 'web' },
        { when: { protocol: 'TLS', sni: 'a.test' }, to: 'web' },
      ],
      upstreams: { web: { endpoints: [endpoint] } },
      logging: { access_log: false },
      ...config,
    },
    { asInstalled: true, ...(wrapper && { wrapper }) },
  );
  return { name: 'anyport', pid: daemon.pid, daemon, port, load, stop: () => daemon.stop() };
}

/** With its own rule against the attackers; null: it is not installed, or has none. */
async function startRival(endpointPort: number, { flood, slow, listener }: Attack): Promise<Victim | null> {
  const isTold = flood === true || (slow === true && listener === undefined);
  if (!isTold || haproxyVersion() === undefined) return null;
  const rule = flood ? { refused: ATTACKERS } : ({ wholeOpenings: true } as const);
  const setting = {
    tuning: 'messages',
    workers: Number(options.workers),
    identifySeconds: IDENTIFY_SECONDS,
  } as const;
  const { port, pid, stop } = await haproxy.start(endpointPort, { ...setting, ...rule });
  return pid === null ? null : { name: 'HAProxy', pid, port, daemon: null, load: normalLoad, stop };
}

/**
 * Another program, for the same attackers: it resets each connection at once (`flood`), or keeps it as long as the
 * daemon would, and looks at nothing. Null: the attack is about the daemon itself.
 */
async function startOther({ flood, slow }: Attack): Promise<Victim | null> {
  if (!flood && !slow) return null;
  const port = await freePort();
  const [program, ...args] = flood ? ['refuser', `${port}`] : ['keeper', `${port}`, `${IDENTIFY_SECONDS}`];
  const { pid, stop } = await startProgram(await provide(program), args, port);
  return { name: 'another program', pid, port, daemon: null, load: normalLoad, stop };
}

interface Found extends Rounds {
  readonly quiet: Noticed[];
  readonly attacked: Noticed[];
  /** While the same attackers were at another program: what the machine loses to them, whoever is attacked. */
  readonly elsewhere: Noticed[];
  readonly refusals: number[];
  keptBytes: number;
}

/** One round; `backwards`: the quiet run comes last. */
async function suffer(
  victim: Victim,
  attack: Attack,
  found: Found,
  backwards: boolean,
  other: Victim | null,
): Promise<void> {
  const quietly = async () => found.quiet.push(await measureNormal(victim, null, SECONDS));
  if (!backwards) await quietly();
  found.attacked.push(await measureNormal(victim, attack, SECONDS));
  if (other && victim.daemon) found.elsewhere.push(await measureNormal(victim, attack, SECONDS, other.port));
  if (attack.flood) found.refusals.push(await measureAlone(victim, attack, SECONDS));
  if (backwards) await quietly();
}

/** Compiles what runs; tables and heaps get their size. */
async function warmUp(victim: Victim, attack: Attack): Promise<number> {
  await measureNormal(victim, null, SECONDS);
  const attackers = await startAttackers(victim.port, attack.before ?? attack.orders);
  await sleep(SECONDS * 1000);
  await attackers.stop();
  await sleep(REST_MS);
  return residentBytes(victim.pid);
}

/** All victims of one attack, in turn. */
async function compare(endpointPort: number, attack: Attack): Promise<Outcome[]> {
  const victims = [await startVictim(`127.0.0.1:${endpointPort}`, attack)];
  const rival = await startRival(endpointPort, attack);
  if (rival) victims.push(rival);
  const other = await startOther(attack);
  const atFloor: number[] = [];
  const found = new Map<Victim, Found>();
  try {
    for (const victim of victims)
      found.set(victim, {
        quiet: [],
        attacked: [],
        elsewhere: [],
        refusals: [],
        keptBytes: -(await warmUp(victim, attack)),
      });
    for (let round = 0; round < ROUNDS; round += 1) {
      // Reversed every other round, so that drift of the machine affects all alike.
      const order = round % 2 === 0 ? [...found] : [...found].toReversed();
      for (const [victim, rounds] of order) await suffer(victim, attack, rounds, round % 2 === 1, other);
      if (other && attack.flood) atFloor.push(await measureAlone(other, attack, SECONDS));
    }
    await sleep(REST_MS);
    for (const [{ pid }, rounds] of found) rounds.keptBytes += residentBytes(pid);
  } finally {
    for (const victim of victims) await victim.stop();
    await other?.stop();
  }
  tell(
    attack,
    victims.map((victim) => found.get(victim)?.refusals ?? []),
    atFloor,
  );
  return victims.flatMap((victim) => {
    const name = victim.daemon ? attack.name : `  at ${victim.name}`;
    const rounds = found.get(victim) as Found;
    const outcome = outcomeOf(name, attack, rounds);
    if (rounds.elsewhere.length === 0) return [outcome];
    const elsewhere = { ...rounds, attacked: rounds.elsewhere };
    return [outcome, outcomeOf('  at another program', attack, elsewhere)];
  });
}

function tell(
  attack: Attack,
  [ours = [], theirs = []]: readonly (readonly number[])[],
  floor: readonly number[],
): void {
  console.log(`${attack.name}: ${attack.why}`);
  if (attack.flood) console.log(refusalText(attack.name, ours, theirs, floor));
}

async function main(): Promise<void> {
  console.log(`\n${heading(versions({}, 'HAProxy'))}`);
  const { rate, long, intervalMs } = normalLoad;
  const normal = `${rate} sessions/s of one round trip, ${long} open ones with a round trip each ${intervalMs} ms`;
  console.log(`normal: ${normal}; ${ROUNDS} rounds of ${SECONDS} s each way`);
  const endpoint = await startEndpoint();
  const chosen = attacks(Math.ceil(GARBAGE / ROUNDS)).filter(({ name }) => name.startsWith(options.attack));
  const outcomes: Outcome[] = [];
  for (const attack of chosen) outcomes.push(...(await compare(endpoint.port, attack)));
  await endpoint.stop();
  console.log(`\n${table(outcomes)}`);
  const ours = outcomes.filter(({ name, attack }) => name === attack.name);
  if (ours.some(({ broken }) => broken.length > 0)) process.exitCode = 1;
}

await main();
