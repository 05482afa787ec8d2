/**
 * What a part of the daemon does when the configuration changes: everything that can fail in `prepare`, the rest in
 * `commit`. The first preparation is its start.
 */
import type { Config } from '../model/config.js';
import type { OwnAddress } from '../model/message.js';

/** Exactly one of the two is called, once. Neither can fail. */
export interface Prepared {
  commit(): void;
  /** Takes back what was prepared; what was in force stays. */
  discard(): void;
}

export interface Part {
  /** Where it listens, as bound, once what is prepared is in force; absent: nowhere. */
  readonly listensAt?: readonly OwnAddress[];
  /** Rejects with a StartError when this configuration can not be served; then nothing has changed. */
  prepare(config: Config): Promise<Prepared>;
  /** Idempotent; also while something is prepared. */
  close(): void;
}

/** Prepares all or none. */
export async function prepareAll(parts: readonly Part[], config: Config): Promise<Prepared> {
  const prepared: Prepared[] = [];
  const discard = () => {
    for (const each of prepared.toReversed()) each.discard();
  };
  try {
    for (const part of parts) prepared.push(await part.prepare(config));
  } catch (error) {
    discard();
    throw error;
  }
  return {
    commit() {
      for (const each of prepared) each.commit();
    },
    discard,
  };
}
