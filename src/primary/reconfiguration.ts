/**
 * The one way in which a Plan comes into force: a changed configuration, new addresses of names, and what an operator
 * sets for endpoints. One at a time; each is whole or not at all. What can fail is prepared first (names, sockets, the
 * servers of the primary, every worker), then all of it is committed.
 */
import { systemClock } from '../base/clock.js';
import { deepFreeze } from '../base/freeze.js';
import type { Logger } from '../base/log.js';
import { sharing, sharingWhole } from '../base/parcels.js';
import { Turns } from '../base/turns.js';
import { compile } from '../config/compile.js';
import { unplaced } from '../config/report.js';
import type { Config, Discovery, Problem } from '../model/config.js';
import type { Ids } from '../model/ids.js';
import type { OwnAddress } from '../model/message.js';
import type { EndpointOverrides } from '../model/overrides.js';
import type { Plan } from '../model/plan.js';
import type { PlaneChange, Sockets } from '../plane/change.js';
import type { DataPlane } from '../plane/data-plane.js';
import type { Published } from '../plane/publication.js';
import { type Fitted, fitToFileLimit, warnOfLowered } from './file-limit.js';
import type { Listening } from './listening.js';
import type { Names } from './names.js';
import { keepOverrides, NO_OVERRIDES } from './overrides.js';
import { type Part, type Prepared, prepareAll } from './part.js';
import { refuseUnderProcessLimits } from './process-limits.js';
import { Renewal } from './renewal.js';
import { warnOfShortages } from './shortages.js';
import { StartError } from './start-error.js';
import { Trial } from './trial.js';

export const FIRST_GENERATION = 1;

export type Changed =
  | { readonly result: 'applied'; readonly generation: number }
  /** Nothing has changed. */
  | { readonly result: 'refused'; readonly problems: readonly Problem[] }
  /** The daemon is being shut down. */
  | { readonly result: 'called_off' };

export interface ReconfigurationParts {
  /** In force. */
  readonly fitted: Fitted;
  readonly plane: Pick<DataPlane, 'change' | 'plan'>;
  readonly ids: Ids;
  /** Prepared before names, which are looked up in it. */
  readonly cluster: Part;
  readonly names: Names;
  readonly listening: Listening;
  /** Asked before modules are loaded. */
  readonly guards: readonly Part[];
  /** Whatever else follows the configuration. */
  readonly parts: readonly Part[];
  /** A Plan has come into force. */
  readonly inForce: (plan: Plan) => void;
  readonly log: Logger;
}

export class Reconfiguration {
  readonly #around: ReconfigurationParts;
  readonly #trial: Trial;
  readonly #turns = new Turns();
  readonly #renewal = new Renewal(
    () => this.#turns.run(() => this.#publish(this.#fitted, this.#overrides)),
    systemClock,
  );
  #fitted: Fitted;
  #overrides = NO_OVERRIDES;
  /** Of the last compiled Plan, in force or not. */
  #generation = FIRST_GENERATION;
  #isClosed = false as boolean;

  constructor(around: ReconfigurationParts) {
    this.#around = around;
    this.#fitted = around.fitted;
    this.#trial = new Trial(around.fitted.config);
  }

  /** The configuration in force, with the limits that the machine allows. */
  get fitted(): Fitted {
    return this.#fitted;
  }

  get overrides(): EndpointOverrides {
    return this.#overrides;
  }

  /** Where this process listens once what is prepared is in force. */
  get listensAt(): readonly OwnAddress[] {
    const { listening, parts } = this.#around;
    return [listening, ...parts].flatMap(({ listensAt = [] }) => listensAt);
  }

  /** Puts a configuration into force. */
  change(config: Config): Promise<Changed> {
    return this.#turns.run(() => this.#change(config));
  }

  /** Puts other overrides into force; `change` gets those in force at its turn. */
  override(change: (overrides: EndpointOverrides) => EndpointOverrides): Promise<Changed> {
    return this.#turns.run(async () => {
      const overrides = change(this.#overrides);
      const changed = changedBy(await this.#publish(this.#fitted, overrides), this.#generation);
      if (changed.result === 'applied') this.#overrides = overrides;
      return changed;
    });
  }

  /** Resolves when the changes asked for so far have ended. */
  settled(): Promise<void> {
    return this.#turns.run(async () => {});
  }

  /** Names have other addresses. */
  renew(discovery: Discovery): void {
    void this.#renewal.renew(discovery);
  }

  /** No further change begins; one that is being prepared is called off. */
  close(): void {
    this.#isClosed = true;
    this.#renewal.stop();
  }

  async #change(config: Config): Promise<Changed> {
    if (this.#isClosed) return { result: 'called_off' };
    const { log } = this.#around;
    try {
      const fitted = fitToFileLimit(config);
      refuseUnderProcessLimits(fitted.config);
      const { guards, cluster, names, listening, parts } = this.#around;
      const all = [...guards, this.#trial, cluster, names, listening, ...parts];
      const prepared = await prepareAll(all, fitted.config);
      return await this.#putInForce(fitted, prepared);
    } catch (error) {
      return { result: 'refused', problems: problemsOf(error, log) };
    }
  }

  async #putInForce(fitted: Fitted, prepared: Prepared): Promise<Changed> {
    const overrides = keepOverrides(this.#overrides, fitted.config);
    const published = await this.#publish(fitted, overrides).catch((error) => {
      prepared.discard();
      throw error;
    });
    const changed = changedBy(published, this.#generation);
    if (changed.result !== 'applied') {
      prepared.discard();
      return changed;
    }
    warnOfLowered(fitted, this.#around.log, this.#fitted);
    warnOfShortages(fitted.config, this.#around.log, this.#fitted.config);
    this.#fitted = fitted;
    this.#overrides = overrides;
    prepared.commit();
    return changed;
  }

  /** Compiled with the newest addresses, whatever asked for the Plan. */
  async #publish(fitted: Fitted, overrides: EndpointOverrides): Promise<Published> {
    if (this.#isClosed) return { result: 'called_off' };
    const { plane, names, listening, ids, inForce } = this.#around;
    this.#generation += 1;
    const compiled = compile(fitted.config, names.discovery, this.#generation, ids, overrides);
    const plan = sharingLists(compiled, plane.plan);
    const published = await plane.change(planeChange(fitted, plan, listening.next, () => this.listensAt));
    if (published.result === 'committed') inForce(plan);
    return published;
  }
}

/** With the long lists' items of the Plan in force where they are the same: workers have these. */
const sharingLists = (plan: Plan, inForce: Plan): Plan =>
  deepFreeze({
    ...plan,
    protocols: sharingWhole(plan.protocols, inForce.protocols),
    routes: sharing(plan.routes, inForce.routes),
    upstreams: sharing(plan.upstreams, inForce.upstreams),
  });

/** What the workers get with a Plan. */
export function planeChange(
  { config, pipes, files }: Fitted,
  plan: Plan,
  sockets: Sockets,
  own: PlaneChange['own'],
): PlaneChange {
  const { workers, accept } = config.server;
  return {
    plan,
    sockets,
    workers,
    accept,
    logLevel: config.logging.level,
    own,
    pipes,
    acceptsPerTurn: files.acceptsPerTurn,
  };
}

function changedBy(published: Published, generation: number): Changed {
  switch (published.result) {
    case 'committed':
      return { result: 'applied', generation };
    case 'refused':
      return { result: 'refused', problems: [unplaced(published.error)] };
    default:
      return { result: 'called_off' };
  }
}

function problemsOf(error: unknown, log: Logger): readonly Problem[] {
  if (error instanceof StartError)
    return error.problems.length > 0 ? error.problems : [unplaced(error.message)];
  log.error({ err: error }, 'a change of the configuration failed');
  return [unplaced(`it failed: ${error instanceof Error ? error.message : error}`)];
}
