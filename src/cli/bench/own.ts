/** `--config`: the workloads through a configuration of the user's, by an opening that it relays. */
import { forLoad, LEFT_OUT_WORDS, type OwnConfiguration } from '../../bench/own.js';
import type { BenchRequest } from '../../bench/sweep.js';
import { clientHello, httpOpening, openings } from '../../bench/workloads/openings.js';
import { compile } from '../../config/compile.js';
import { loadConfig } from '../../config/load.js';
import { type Config, type Document, NOTHING_DISCOVERED } from '../../model/config.js';
import { takesStreams } from '../../model/transports.js';
import { IdRegistry } from '../../plane/ids.js';
import { loadOrFail, okOrFail } from '../configuration.js';
import { explain } from '../explain/explanation.js';
import { BAD_USAGE, Failure } from '../failure.js';
import { moduleAsRoot } from '../run/root.js';

export interface OwnOptions {
  readonly config?: string;
  readonly listener?: string;
  readonly opening?: string;
  readonly host?: string;
  readonly workers?: string;
  readonly accept?: string;
}

/** Those whose connections may begin with anything. */
const ADAPTABLE = ['conn', 'ping', 'bulk-down', 'bulk-up', 'idle'];

/** The same request, through `--config`; without it as it is. */
export async function throughOwn(request: BenchRequest, options: OwnOptions): Promise<BenchRequest> {
  if (options.config === undefined) return request;
  const { config, sections, listener, directory, way, words } = await ownWay(options.config, options);
  const others = request.workloads.filter((each) => !ADAPTABLE.includes(each.name));
  const workloads = request.workloads.filter((each) => ADAPTABLE.includes(each.name));
  if (workloads.length === 0) throw new Failure(`--config is for ${ADAPTABLE.join(', ')}`, BAD_USAGE);
  const whole = { sections, listener, directory, opening: way.opening };
  return {
    ...request,
    workloads: workloads.map((each) => ({ ...each, ...whole })),
    ...(options.workers === undefined && { workers: [config.server.workers] }),
    ...(options.accept === undefined && { accept: [config.server.accept] }),
    notes: [
      `sessions of ${words}`,
      ...(others.length === 0 ? [] : [`not through it: ${others.map((each) => each.name).join(', ')}`]),
    ],
  };
}

/** A configuration of the user's, made fit for a load, and a way through it to an endpoint. */
export async function ownWay(file: string, options: OwnOptions) {
  const { config, document, directory, name } = await loadOrFail(file, {});
  const listener = listenerOf(config, options.listener);
  const listeners = config.listeners.filter(({ forward }) => forward === null).map((each) => each.name);
  const own = { document, listeners };
  const reaches = reachedBy(own, directory, listener);
  const way = await wayThrough(reaches, listener, options);
  const sections = (endpoint: string): Document => forLoad(own, endpoint);
  const words = `${name} on ${listener} begin as ${way.name} and go to ${way.upstream}; ${LEFT_OUT_WORDS}`;
  return { config, sections, listener, directory, reaches, way, words };
}

function listenerOf({ listeners }: Config, wanted: string | undefined): string {
  const names = listeners
    .filter((each) => each.forward === null && takesStreams(each))
    .map(({ name }) => name);
  const found = wanted === undefined ? names[0] : names.find((name) => name === wanted);
  if (found !== undefined) return found;
  if (names.length === 0)
    throw new Failure('--config: no listener takes connections that are identified', BAD_USAGE);
  throw new Failure(`--listener ${wanted}: there is ${names.join(', ')}`, BAD_USAGE);
}

interface Way {
  readonly name: string;
  readonly opening: Buffer;
  readonly upstream: string;
}

/** A client of the load (native/load/socket.h), and an address that stands for the endpoint. */
const CLIENT = '127.0.0.2';
const ENDPOINT = '127.0.0.1:1';
export const HOST = 'bench.example.com';

/** Name of the upstream with endpoints that an opening leads to, or null. */
type Reaches = (opening: Buffer) => Promise<string | null>;

function reachedBy(own: OwnConfiguration, directory: string, listener: string): Reaches {
  const { config } = okOrFail(loadConfig({ document: forLoad(own, ENDPOINT), directory }));
  const module = moduleAsRoot(config);
  if (module !== null)
    throw new Failure(
      `--config: ${module} would run as root: run \`anyport bench\` as another user`,
      BAD_USAGE,
    );
  const plan = compile(config, NOTHING_DISCOVERED, 1, new IdRegistry());
  const served = config.upstreams.filter(({ handler }) => handler === null).map(({ name }) => name);
  const index = config.listeners.findIndex(({ name }) => name === listener);
  return async (opening) => {
    const { outcome } = await explain(plan, index, { source: CLIENT, bytes: opening });
    return outcome.target !== null && served.includes(outcome.target) ? outcome.target : null;
  };
}

/** The first opening that the configuration relays to an endpoint. */
async function wayThrough(
  reaches: Reaches,
  listener: string,
  { opening: wanted, host = HOST }: OwnOptions,
): Promise<Way> {
  for (const [name, opening] of await candidates(wanted, host)) {
    const upstream = await reaches(opening);
    if (upstream !== null) return { name, opening, upstream };
  }
  const tried = wanted === undefined ? 'no opening reaches an endpoint' : `${wanted} reaches no endpoint`;
  throw new Failure(
    `--config: on listener ${listener} ${tried}: give another \`--opening\`, or the \`--host\` that a route asks for; \`anyport explain\` says why`,
    BAD_USAGE,
  );
}

async function candidates(wanted: string | undefined, host: string): Promise<[string, Buffer][]> {
  const known = { ...openings, http: httpOpening(host), tls: await clientHello(host) };
  if (wanted === undefined) return Object.entries(known);
  if (/^(?:[0-9a-f]{2})+$/i.test(wanted) && !(wanted in known)) return [[wanted, Buffer.from(wanted, 'hex')]];
  const opening = Object.entries(known).find(([name]) => name === wanted);
  if (opening !== undefined) return [opening];
  throw new Failure(
    `--opening ${wanted}: there is ${Object.keys(known).join(', ')}; or give it in hexadecimal digits`,
    BAD_USAGE,
  );
}
