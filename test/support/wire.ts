/** A lossy, slow wire between two ends that speak datagrams: bench/system/load/udp_wire.cc. */
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { freePort } from './ports.js';
import { startDatagramProgram } from './process.js';
import { provide } from './steady.js';
import { within } from './wait.js';

/** Each way by itself. Chances are per 10,000 datagrams; `rate` is bytes a second, 0 any; `cut` 1: nothing passes. */
export type Conditions = Readonly<
  Partial<
    Record<
      | 'delay_us'
      | 'jitter_us'
      | 'loss'
      | 'up_loss'
      | 'down_loss'
      | 'reorder'
      | 'held_us'
      | 'duplicate'
      | 'rate'
      | 'queue'
      | 'cut'
      | 'seed',
      number
    >
  >
>;

/** What was offered, of it `lost`; bytes are those of payloads. */
export type Carried = Readonly<
  Record<'up' | 'up_bytes' | 'up_lost' | 'down' | 'down_bytes' | 'down_lost', number>
> & {
  /** Since the wire began: lost because it was too slow itself. */
  readonly overrun: number;
};

export interface Wire {
  readonly port: number;
  /** Where a client sends to instead. */
  readonly target: string;
  /** Since it was asked or changed before. */
  carried(): Promise<Carried>;
  change(conditions: Conditions): Promise<Carried>;
  /** Each client goes on from another port: its NAT has forgotten it. */
  rebind(): Promise<Carried>;
  stop(): Promise<void>;
}

/** 5 % lost and 20 ms, each way. */
export const lossyWire: Conditions = { loss: 500, delay_us: 20_000, seed: 7 };

/** `to`: port of the server on 127.0.0.1. */
export async function startWire(to: number, conditions: Conditions = {}): Promise<Wire> {
  const port = await freePort();
  const args = [`port=${port}`, `to=${to}`, ...words(conditions)];
  const { child, stop } = await startDatagramProgram(await provide('udp_wire'), args, port, {
    stdio: 'pipe',
  });
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error('the wire was started without pipes');
  const lines = createInterface({ input: stdout });
  const say = async (line: string): Promise<Carried> => {
    const answer = once(lines, 'line') as Promise<[string]>;
    stdin.write(`${line}\n`);
    const [text] = await within('the wire to answer', answer);
    const figures = [...text.matchAll(/(\w+)=(\d+)/g)].map(([, name, value]) => [name, Number(value)]);
    return Object.fromEntries(figures) as Carried;
  };
  return {
    port,
    target: `127.0.0.1:${port}`,
    carried: () => say(''),
    change: (changed) => say(words(changed).join(' ')),
    rebind: () => say('rebind'),
    stop,
  };
}

const words = (conditions: Conditions): string[] =>
  Object.entries(conditions).map(([name, value]) => `${name}=${value}`);
