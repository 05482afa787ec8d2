/**
 * Attacks, and what normal sessions notice of them: quiet and attacked runs in turn on one daemon, whose normal
 * sessions are the same in both. Figures are ratios of attacked to quiet, because absolute times say little on a
 * shared machine. Everything is on loopback and bounded; `npm run bench -- --only adversary` starts it in a network
 * namespace of its own. `--attack NAME`: those whose name starts with NAME; `--rounds N`; `--quick`; `--workers N`.
 * Exit status 1: a bound is broken with 95 % confidence.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startDaemon } from '../../test/support/daemon.js';
import { freePort } from '../../test/support/ports.js';
import { residentBytes } from '../../test/support/proc.js';
import { startEndpoint } from '../../test/support/steady.js';
import { heading } from '../system/report.js';
import { versions } from '../system/versions.js';
import { type Attack, attacks, normalLoad } from './attacks.js';
import { measureNormal, type Noticed, type Target } from './noticed.js';
import { type Outcome, outcomeOf, table } from './outcome.js';

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
const IDENTIFY_TIMEOUT = '3s';
const CONNECTIONS_MAX = 9000;
/** Time for garbage collection and for what is given back late. */
const REST_MS = 5000;

async function startTarget(
  endpoint: string,
  { listener, config, wrapper, load = normalLoad }: Attack,
): Promise<Target> {
  const port = await freePort();
  const daemon = await startDaemon(
    {
      server: {
        workers: Number(options.workers),
        max_connections: CONNECTIONS_MAX,
        identify_timeout: IDENTIFY_TIMEOUT,
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
  return { daemon, port, load };
}

async function suffer(endpoint: string, attack: Attack): Promise<Outcome> {
  const target = await startTarget(endpoint, attack);
  const { pid } = target.daemon;
  const run = (what: Attack | null): Promise<Noticed> => measureNormal(target, what, SECONDS);
  const quiet: Noticed[] = [];
  const attacked: Noticed[] = [];
  try {
    // Compiles what runs; tables and heaps get their size.
    await run(null);
    await run(attack);
    await sleep(REST_MS);
    const memoryBefore = residentBytes(pid);
    for (let round = 0; round < ROUNDS; round += 1) {
      // Reversed every other round, so that drift of the machine affects both alike.
      if (round % 2 === 0) quiet.push(await run(null));
      attacked.push(await run(attack));
      if (round % 2 === 1) quiet.push(await run(null));
    }
    await sleep(REST_MS);
    return outcomeOf(attack, quiet, attacked, residentBytes(pid) - memoryBefore);
  } finally {
    await target.daemon.stop();
  }
}

async function main(): Promise<void> {
  console.log(`\n${heading(versions())}`);
  const { rate, long, intervalMs } = normalLoad;
  const normal = `${rate} sessions/s of one round trip, ${long} open ones with a round trip each ${intervalMs} ms`;
  console.log(`normal: ${normal}; ${ROUNDS} rounds of ${SECONDS} s each way`);
  const endpoint = await startEndpoint();
  const chosen = attacks(Math.ceil(GARBAGE / ROUNDS)).filter(({ name }) => name.startsWith(options.attack));
  const outcomes: Outcome[] = [];
  for (const attack of chosen) {
    outcomes.push(await suffer(endpoint.target, attack));
    console.log(`${attack.name}: ${attack.why}`);
  }
  await endpoint.stop();
  console.log(`\n${table(outcomes)}`);
  if (outcomes.some(({ broken }) => broken.length > 0)) process.exitCode = 1;
}

await main();
