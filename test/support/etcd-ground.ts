/** One etcd for the tests of a `describe`, in which each has keys of its own. */
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import type { EtcdClient } from '../../src/cluster/etcd/client.js';
import { Etcd } from './etcd.js';

export interface EtcdGround {
  readonly etcd: Etcd;
  readonly client: EtcdClient;
  /** Of the keys of this test: `/test-3`. */
  readonly prefix: string;
  /** What is to be done after this test, the last first. */
  readonly ends: (() => unknown)[];
}

export function etcdGround(): EtcdGround {
  let etcd: Etcd;
  let client: EtcdClient;
  let tests = 0;
  const ends: (() => unknown)[] = [];
  beforeAll(async () => {
    etcd = await Etcd.start();
    client = etcd.client();
  });
  beforeEach(() => {
    tests += 1;
  });
  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });
  afterAll(async () => {
    client.close();
    await etcd.remove();
  });
  return {
    ends,
    get etcd() {
      return etcd;
    },
    get client() {
      return client;
    },
    get prefix() {
      return `/test-${tests}`;
    },
  };
}
