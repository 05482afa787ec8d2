/**
 * Endpoints of `file_sd`: files that somebody else keeps up to date, followed as they change. A file that is gone, empty or
 * wrong keeps what it said last. Host names in it are looked up as those of its upstream are.
 */
import { fileOfService, serviceOfFile } from '../base/address.js';
import { FileWatch } from '../base/file-watch/index.js';
import { LifeEnd } from '../base/life-end.js';
import { Turns } from '../base/turns.js';
import type { DiscoveredEndpoint, Discovery, UpstreamConfig } from '../model/config.js';
import { dns } from './dns.js';
import type { Provider, ProviderKind, Surroundings } from './provider.js';
import { readTargets } from './read-targets.js';
import type { Targets } from './target-files.js';

export const filesLimits = {
  /** Between two looks at files that keep changing: each may be a new Plan for every worker. */
  betweenMs: 1000,
} as const;

export const files: ProviderKind = (upstreams, around) => new FilesProvider(upstreams, around);

/** A file as it was read last. */
interface Held {
  /** Undefined: it has never been right. */
  readonly endpoints: readonly DiscoveredEndpoint[] | undefined;
  /** Undefined: it is right. */
  readonly fault: string | undefined;
}

const NOT_READ: Held = { endpoints: undefined, fault: undefined };

class FilesProvider implements Provider {
  readonly #around: Surroundings;
  readonly #watch: FileWatch;
  /** Looks up host names that files have. */
  readonly #names: Provider;
  readonly #turns = new Turns();
  readonly #end = new LifeEnd();
  #upstreams: readonly UpstreamConfig[];
  /** By absolute path, those that are named now. */
  #held = new Map<string, Held>();
  #hosts: Discovery['hosts'] = new Map();
  #onChange: (discovery: Discovery) => void = () => {};
  /** What the files said when it was published last, as text. */
  #published = '';

  constructor(upstreams: readonly UpstreamConfig[], around: Surroundings) {
    const { clock, warn } = around;
    this.#around = around;
    this.#upstreams = upstreams;
    this.#names = dns([], around);
    this.#watch = new FileWatch({ changed: () => this.#changed(), clock, log: { warn } });
  }

  async start(onChange: (discovery: Discovery) => void): Promise<Discovery> {
    await this.#names.start(({ hosts }) => {
      this.#hosts = hosts;
      this.#onChange(this.#discovery());
    });
    await this.#turns.run(() => this.#read());
    this.#published = saidIn(this.#held);
    this.#onChange = onChange;
    return this.#discovery();
  }

  include(upstreams: readonly UpstreamConfig[]): Promise<Discovery> {
    return this.#turns.run(async () => {
      this.#upstreams = [...this.#upstreams, ...upstreams];
      await this.#read();
      return this.#discovery();
    });
  }

  retain(upstreams: readonly UpstreamConfig[]): void {
    this.#upstreams = upstreams;
    void this.#turns.run(() => this.#renew());
  }

  stop(): void {
    this.#end.come();
    this.#watch.close();
    this.#names.stop();
  }

  /** The watch does not call it again before it has resolved. */
  async #changed(): Promise<void> {
    await this.#turns.run(() => this.#renew());
    let cancel = () => {};
    const pause = new Promise<void>((resolve) => {
      cancel = this.#around.clock.after(filesLimits.betweenMs, resolve);
    });
    await this.#end.before(pause);
    cancel();
  }

  async #renew(): Promise<void> {
    await this.#read();
    const now = saidIn(this.#held);
    if (now === this.#published || this.#end.hasCome) return;
    this.#published = now;
    this.#onChange(this.#discovery());
  }

  /** All files that are named now, and the addresses of the hosts in them. */
  async #read(): Promise<void> {
    const readAtMs = Date.now();
    const paths = new Set(this.#upstreams.flatMap(pathsIn));
    const held = new Map<string, Held>();
    for (const path of paths) held.set(path, this.#learn(path, await readTargets(path)));
    const isSame = paths.size === this.#held.size && [...paths].every((path) => this.#held.has(path));
    this.#held = held;
    if (this.#end.hasCome) return;
    if (!isSame) {
      void this.#watch.follow([...paths], readAtMs);
      this.#watch.turn(paths.size > 0);
    }
    const written = this.#upstreams.map((upstream) => this.#written(upstream));
    this.#hosts = (await this.#names.include(written)).hosts;
    this.#names.retain(written);
  }

  /** Says what is new about a file. */
  #learn(file: string, targets: Targets): Held {
    const before = this.#held.get(file) ?? NOT_READ;
    if ('fault' in targets) {
      const fields = { file, error: targets.fault, keeping: before.endpoints?.length ?? 0 };
      if (targets.fault !== before.fault) this.#around.warn(fields, 'a file of endpoints can not be used');
      return { endpoints: before.endpoints, fault: targets.fault };
    }
    const { endpoints } = targets;
    const isOther = before.endpoints !== undefined && textOf(before.endpoints) !== textOf(endpoints);
    const news = before.fault === undefined ? isOther && OTHER : AGAIN;
    if (news) this.#around.info({ file, endpoints: endpoints.length }, news);
    return { endpoints, fault: undefined };
  }

  /** Never as failing: `dns.keep_last_good` is about names. */
  #discovery(): Discovery {
    const services = [...this.#held].flatMap(([path, { endpoints }]) =>
      endpoints === undefined ? [] : [[serviceOfFile(path), { value: endpoints, failing: false }] as const],
    );
    return { hosts: this.#hosts, services: new Map(services) };
  }

  /** With the endpoints that its files have, as if they were its own. */
  #written(upstream: UpstreamConfig): UpstreamConfig {
    const found = pathsIn(upstream).flatMap((path) => this.#held.get(path)?.endpoints ?? []);
    const endpoints = found.map(({ host, port, ...rest }) => ({ ...rest, address: { host, port } }));
    return { ...upstream, endpoints };
  }
}

const OTHER = 'a file has other endpoints';
const AGAIN = 'a file of endpoints can be used again';

const pathsIn = ({ endpoints }: UpstreamConfig): string[] =>
  endpoints.flatMap(({ address }) => ('service' in address ? (fileOfService(address.service) ?? []) : []));

const textOf = (endpoints: readonly DiscoveredEndpoint[] | undefined): string =>
  JSON.stringify(endpoints ?? null);

const saidIn = (held: ReadonlyMap<string, Held>): string =>
  JSON.stringify([...held].map(([path, { endpoints }]) => [path, textOf(endpoints)]));
