/** Several providers act as one. */
import { describe, expect, test } from 'vitest';
import type { Discovery, UpstreamConfig } from '../../src/model/config.js';
import { joined } from '../../src/providers/index.js';
import type { Provider } from '../../src/providers/provider.js';
import { hostsAt } from '../support/plan.js';

const addressesIn = ({ hosts }: Discovery) =>
  Object.fromEntries([...hosts].map(([host, { value }]) => [host, value]));

/** A provider controlled by the test. */
class Told implements Provider {
  stopped = false;
  #resolve: ((discovery: Discovery) => void) | undefined;
  #onChange: ((discovery: Discovery) => void) | undefined;

  start(onChange: (discovery: Discovery) => void): Promise<Discovery> {
    this.#onChange = onChange;
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Names that `include` learns. */
  learns: Record<string, string[]> = {};
  retained: readonly UpstreamConfig[] | undefined;

  async include(): Promise<Discovery> {
    return hostsAt(this.learns);
  }

  retain(upstreams: readonly UpstreamConfig[]): void {
    this.retained = upstreams;
  }

  stop(): void {
    this.stopped = true;
  }

  first(names: Record<string, string[]>): void {
    this.#resolve?.(hostsAt(names));
  }

  change(names: Record<string, string[]>): void {
    this.#onChange?.(hostsAt(names));
  }
}

describe('providers together', () => {
  function start() {
    const [one, other] = [new Told(), new Told()];
    const changes: object[] = [];
    const provider = joined([one, other]);
    const started = provider.start((discovery) => changes.push(addressesIn(discovery)));
    return { one, other, provider, changes, first: started.then((names) => addressesIn(names)) };
  }

  test('the first discovery has what each has found', async () => {
    const { one, other, first } = start();
    other.first({ b: ['192.0.2.2'] });
    one.first({ a: ['192.0.2.1'] });
    expect(await first).toEqual({ a: ['192.0.2.1'], b: ['192.0.2.2'] });
  });

  test('a change of one leaves what the other has found', async () => {
    const { one, other, first, changes } = start();
    one.first({ a: ['192.0.2.1'] });
    other.first({ b: ['192.0.2.2'] });
    await first;
    one.change({ a: ['192.0.2.3'] });
    other.change({});
    expect(changes).toEqual([{ a: ['192.0.2.3'], b: ['192.0.2.2'] }, { a: ['192.0.2.3'] }]);
  });

  test('a change while others still start is not told alone, and not lost', async () => {
    const { one, other, first, changes } = start();
    one.first({ a: ['192.0.2.1'] });
    one.change({ a: ['192.0.2.3'] });
    other.first({});
    expect(await first).toEqual({ a: ['192.0.2.3'] });
    expect(changes).toEqual([]);
  });

  test('all are stopped', () => {
    const { one, other, provider } = start();
    provider.stop();
    expect([one.stopped, other.stopped]).toEqual([true, true]);
  });
});
