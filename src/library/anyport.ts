/** `createAnyport`: what the caller gives is spelled as the file, and what happens is told as events. */
import { parseDuration } from '../base/duration.js';
import { type Ban, banLimits } from '../model/ban.js';
import type { Document } from '../model/config.js';
import type { Diff } from '../model/diff.js';
import type { Report } from '../model/report.js';
import type { Snapshot } from '../model/snapshot.js';
import { banned, banRequest, lifted } from './bans.js';
import { documentOf, optionsOf, protocolChanges, protocolEntry } from './document.js';
import { addProtocol, type Edit, removeProtocol, replaceKeepingListen, updateProtocol } from './edits.js';
import { EndpointStates } from './endpoint-states.js';
import { AnyportError, invalidConfig } from './error.js';
import { Events } from './events.js';
import { Life } from './life.js';
import { Locals } from './locals.js';
import { type Lines, linesTo } from './logger.js';
import type {
  AnyportOptions,
  Duration,
  InstanceOptions,
  ListenAddress,
  ProtocolDefinition,
} from './options.js';
import { respelledDiff } from './spelling.js';
import type { Anyport, BanOptions, CloseOptions, Listening, ProtocolChanges } from './types.js';
import { Watched } from './watched.js';

/**
 * Makes an instance; it opens nothing before `listen`. Throws an `AnyportError` (`invalid_config`) for what can be seen
 * without the schema: a key in another spelling, a function that threads can not reach. All else is checked by `listen`.
 */
export function createAnyport(options: AnyportOptions & InstanceOptions = {}): Anyport {
  return new Instance(options);
}

const isInline = ({ workers = 0 }: AnyportOptions): boolean => workers === 0;

class Instance extends Events implements Anyport {
  /** Null with threads. */
  readonly #locals: Locals | null;
  readonly #lines: Lines;
  /** Whether anything takes log lines. */
  readonly #logs: boolean;
  readonly #life: Life;
  readonly #endpoints = new EndpointStates();

  constructor({ logger, directory = process.cwd(), ...options }: AnyportOptions & InstanceOptions) {
    super(
      (error) => this.#unheard(error),
      (sessions) => this.#life.reportSessions(sessions),
    );
    this.#locals = isInline(options) ? new Locals() : null;
    this.#lines = linesTo(logger, options.logging?.level ?? 'info');
    this.#logs = logger !== undefined;
    this.#life = new Life(documentOf(options, this.#locals), {
      directory,
      locals: this.#locals,
      logs: this.#logs,
      lines: this.#lines,
      changed: (document, diff) => this.#tellChange(document, diff),
      reported: (reports) => this.#tellReports(reports),
    });
  }

  addProtocol(protocol: ProtocolDefinition): Promise<void> {
    return this.#change(() => addProtocol(protocolEntry(protocol, this.#locals)));
  }

  updateProtocol(name: string, changes: ProtocolChanges): Promise<void> {
    return this.#change(() => updateProtocol(name, protocolChanges(name, changes, this.#locals)));
  }

  removeProtocol(name: string): Promise<void> {
    return this.#change(() => removeProtocol(name));
  }

  updateConfig(config: AnyportOptions): Promise<void> {
    return this.#change(() => {
      this.#checkThreads(config);
      return replaceKeepingListen(documentOf(config, this.#locals));
    });
  }

  listen(addresses?: ListenAddress | readonly ListenAddress[]): Promise<readonly Listening[]> {
    const wanted = addresses === undefined ? [] : [addresses].flat();
    return this.#watch(this.#life.listen(wanted).then(listeningOn));
  }

  get addresses(): readonly Listening[] {
    return listeningOn(this.#life.listeners);
  }

  get address(): Listening | null {
    return this.addresses[0] ?? null;
  }

  get config(): AnyportOptions {
    return optionsOf(this.#life.document, this.#locals);
  }

  metrics(): Snapshot {
    return this.#life.snapshot;
  }

  bans(): readonly Ban[] {
    return this.#life.bans?.list(banLimits.rowsMax).bans ?? [];
  }

  ban(address: string, options: BanOptions = {}): Ban {
    const { bans } = this.#life;
    if (bans === null) throw new AnyportError('not_listening', 'sources are banned from `listen` to `close`');
    return banned(bans.ban(banRequest(address, options)));
  }

  liftBan(address: string): boolean {
    const { bans } = this.#life;
    return bans !== null && lifted(bans.lift(address));
  }

  metricsText(): Promise<string> {
    return this.#life.metricsText();
  }

  close({ drain }: CloseOptions = {}): Promise<boolean> {
    return this.#life.close(drain === undefined ? undefined : millisecondsOf(drain));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close({ drain: 0 });
  }

  /** `make` reads what the caller gave at once: afterwards the caller may change it. */
  #change(make: () => Edit): Promise<void> {
    const change = async () => {
      this.#life.checkOpen();
      await this.#life.change(make());
    };
    return this.#watch(change());
  }

  #watch<Value>(task: Promise<Value>): Promise<Value> {
    return Watched.of(task, (error) => this.tell('error', error as AnyportError));
  }

  #checkThreads(options: AnyportOptions): void {
    if (options.workers === undefined || isInline(options) === (this.#locals !== null)) return;
    const message = 'can not change between 0 and threads: make another instance';
    throw invalidConfig([{ path: 'workers', message }]);
  }

  #tellChange(document: Document, diff: Diff): void {
    this.tell('configChange', optionsOf(document, this.#locals), respelledDiff(diff));
  }

  #tellReports(reports: readonly Report[]): void {
    for (const report of reports) {
      if (report.type === 'session') this.tell('session', report.session);
      else if (this.#endpoints.isNews(report.change)) this.tell('endpoint', report.change);
    }
  }

  #unheard(error: AnyportError): void {
    if (this.#logs) this.#lines.log.error({ code: error.code }, error.message);
    else process.emitWarning(error);
  }
}

const listeningOn = (listeners: Life['listeners']): Listening[] =>
  listeners.map((each) => ({ ...each, port: portOf(each.address) }));

function portOf(address: string): number | null {
  const port = /:(\d+)$/.exec(address)?.[1];
  return address.startsWith('unix:') || port === undefined ? null : Number(port);
}

function millisecondsOf(drain: Duration): number {
  const ms = typeof drain === 'number' ? drain : parseDuration(drain);
  if (ms !== null && ms >= 0 && Number.isFinite(ms)) return ms;
  throw invalidConfig([{ path: 'drain', message: 'expected a duration such as `60s`, or milliseconds' }]);
}
