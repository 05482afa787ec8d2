/**
 * Round trips at half of the rate that saturates anyport, from when each was due, while the proxy is scraped, reloaded, or
 * has short sessions beside.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { checkLoad, startLoad } from '../../test/support/steady.js';
import type { Contender } from './contender.js';
import { OURS } from './contenders/anyport.js';
import type { Run } from './measure.js';
import type { Workload } from './workloads.js';

/** What the proxy does beside the round trips; each per second. */
export interface Beside {
  readonly scrapes?: number;
  readonly reloads?: number;
  readonly sessions?: number;
}

/** Of the run that saturates. */
const SATURATE_MS = 1500;
/** Of a run: what comes before the first one, so that code is compiled, and tables and heaps have their size. */
const WARM_UP_SHARE = 0.25;
/** What a proxy takes longer for than this share of its time allows makes another load than the one that is named. */
const DONE_SHARE = 0.5;

/** The workload with a rate of which this contender can do twice as much. `wrapper`: command that runs the load. */
async function atHalfLoad(
  workload: Workload,
  { port }: Contender,
  wrapper: readonly string[],
): Promise<Workload> {
  const load = await startLoad([port], { rate: 0, long: longOf(workload), intervalMs: 0 }, wrapper);
  await sleep(SATURATE_MS);
  const figures = await load.stop();
  checkLoad(figures);
  return { ...workload, rate: figures.pings / figures.seconds / 2 };
}

/** The workload with a rate of which anyport, or else the first of those compared, can do twice as much; all are warm then. */
export async function prepareTail(
  workload: Workload,
  compared: readonly Contender[],
  wrapper: readonly string[],
): Promise<Workload> {
  const measured = compared.find(({ name }) => name === OURS) ?? compared[0];
  if (measured === undefined) return workload;
  const halved = await atHalfLoad(workload, measured, wrapper);
  const short = { ...halved, units: halved.units * WARM_UP_SHARE };
  // What fails here will fail again when it counts.
  for (const contender of compared) await measureTail(short, contender, wrapper).catch(() => {});
  return halved;
}

export async function measureTail(
  workload: Workload,
  { port, scrape, reload }: Contender,
  wrapper: readonly string[],
): Promise<Run> {
  const { rate, units, beside: { sessions = 0, scrapes = 0, reloads = 0 } = {} } = workload;
  if (rate === undefined) throw new Error(`${workload.name} has no rate`);
  const long = longOf(workload);
  const load = await startLoad([port], { rate: sessions, long, intervalMs: (1000 * long) / rate }, wrapper);
  const seconds = units / rate;
  const tasks = [repeat('scrapes', scrapes, seconds, scrape), repeat('reloads', reloads, seconds, reload)];
  await sleep(1000 * seconds);
  const figures = await load.stop();
  for (const { stop } of tasks) await stop();
  checkLoad(figures);
  return {
    cost: 1000 * figures.ping_p999_us,
    rate: figures.pings / figures.seconds,
    quantiles: { p50: 1000 * figures.ping_p50_us, p99: 1000 * figures.ping_p99_us },
  };
}

const longOf = ({ client: [, connections = 1] = ['ping'] }: Workload): number => connections;

/** So often a second, as far as it takes no longer; `stop` throws if it failed, or was done less than half as often as in `seconds`. */
function repeat(what: string, perSecond: number, seconds: number, act?: () => Promise<unknown>) {
  const began = performance.now();
  const cancel = new AbortController();
  let done = 0;
  const all = async () => {
    if (perSecond === 0) return;
    if (act === undefined) throw new Error(`no ${what}`);
    while (!cancel.signal.aborted) {
      await act();
      done += 1;
      const restMs = began + (1000 * done) / perSecond - performance.now();
      await sleep(Math.max(0, restMs), undefined, { signal: cancel.signal }).catch(() => {});
    }
  };
  const ended = all();
  ended.catch(() => {}); // said by `stop`
  return {
    stop: async () => {
      cancel.abort();
      await ended;
      const wanted = seconds * perSecond;
      if (done < DONE_SHARE * wanted) throw new Error(`${done} ${what} instead of ${Math.round(wanted)}`);
    },
  };
}
