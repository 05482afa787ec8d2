/** The contenders of a workload: those that were asked for, are installed and can do it, all in front of one endpoint. */
import { resolve } from 'node:path';
import type { Asked, Contender, Rival, Setting } from './contender.js';
import { BESIDE, OURS, startAnyport } from './contenders/anyport.js';
import { DIRECT, startEndpoint } from './contenders/direct.js';
import { rivals } from './contenders/index.js';
import type { Cores } from './cores.js';
import type { Workload } from './workloads.js';

export interface Choice {
  /** Names of contenders. */
  readonly against: readonly string[];
  /** Folder of another built checkout. */
  readonly beside: string | undefined;
}

/** `endpoint`: what answers behind a proxy. */
type Start = (endpoint: Contender, setting: Setting) => Promise<Contender>;

export interface TakingPart {
  /** In the order of the table's rows. */
  readonly starts: ReadonlyMap<string, Start>;
  /** Contender → why it is not among them, as a relative clause. */
  readonly absent: ReadonlyMap<string, string>;
}

export interface LineUp {
  readonly compared: readonly Contender[];
  stop(): Promise<void>;
}

/** Wrong answers of a rival are named with the figures; those of others end the benchmark. */
export const isRival = (name: string): boolean => rivals.some((rival) => rival.name === name);

/** Client modes that the endpoint answers without a proxy. */
const ANSWERED: readonly (string | undefined)[] = ['fetch', 'hello', 'ping', 'hold'];

const UNFINISHED = ['leave', 'stay'] as const;

export function takingPart(
  workload: Workload,
  { against, beside }: Choice,
  all: readonly Rival[] = rivals,
): TakingPart {
  const asked = askedOf(workload);
  const chosen = all.filter(({ name }) => against.includes(name));
  const absent = new Map(chosen.map((rival) => [rival.name, absenceOf(rival, asked)]));
  const starts: [string, Start][] = [
    [DIRECT, async (endpoint) => endpoint],
    [OURS, (endpoint, setting) => startAnyport(endpoint.port, setting)],
    ...Object.entries(workload.variants ?? {}).map(([name, variant]): [string, Start] => [
      name,
      async ({ port }, setting) => ({
        ...(await startAnyport(port, { ...setting, ...variant.setting })),
        name,
      }),
    ]),
    [BESIDE, (endpoint, setting) => startAnyport(endpoint.port, setting, beside)],
    ...chosen.map(({ name, start }): [string, Start] => [
      name,
      (endpoint, setting) => start(endpoint.port, setting),
    ]),
  ];
  const isThere = (name: string): boolean => {
    if (name === DIRECT && (workload.setting.operated || !ANSWERED.includes(workload.client?.[0])))
      return false;
    if (name === BESIDE && beside === undefined) return false;
    if (workload.variants?.[name]) return against.includes(OURS);
    return against.includes(name) && (absent.get(name) ?? null) === null;
  };
  return {
    starts: new Map(starts.filter(([name]) => isThere(name))),
    absent: new Map([...absent].flatMap(([name, why]) => (why === null ? [] : [[name, why]]))),
  };
}

function askedOf({ client, meanwhile, setting }: Workload): Asked {
  const loads = [client, meanwhile].flatMap((load) => (load ? [load] : []));
  return {
    setting,
    connections: loads.reduce((sum, [, connections = 1]) => sum + connections, 0),
    unfinished: UNFINISHED.find((mode) => loads.some(([each]) => each === mode)) ?? null,
  };
}

/** What a contender is asked for. */
export const askedBy = (workload: Workload, name: string): Workload => ({
  ...workload,
  ...workload.variants?.[name],
  setting: workload.setting,
});

function absenceOf(rival: Rival, asked: Asked): string | null {
  if (rival.version() === undefined) return `is not installed (Debian: ${rival.packages})`;
  return rival.lacks(asked);
}

export async function lineUp(starts: TakingPart['starts'], setting: Setting, cores: Cores): Promise<LineUp> {
  const endpoint = await startEndpoint(resolve('build-bench/load/endpoint'), {
    wrapper: cores.load,
    options: setting.sni ? ['hello'] : [],
  });
  const compared: Contender[] = [];
  const stop = async () => {
    for (const contender of new Set([...compared.toReversed(), endpoint])) await contender.stop();
  };
  try {
    for (const start of starts.values())
      compared.push(await start(endpoint, { ...setting, wrapper: cores.proxy }));
  } catch (error) {
    await stop();
    throw error;
  }
  return { compared, stop };
}
