/** A daemon that takes datagrams, its clients and its endpoints; all of them are closed after each test. */
import { afterEach } from 'vitest';
import { type Daemon, type StartOptions, startDaemon, type TestConfig } from '../../support/daemon.js';
import {
  type ClientOptions,
  type DatagramEndpoint,
  type DatagramPeer,
  datagramClient,
  echoDatagrams,
  listenUdp,
  type ServeDatagram,
} from '../../support/datagrams.js';

const open: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

export const later = (close: () => Promise<unknown>): void => {
  open.push(close);
};

export async function endpoint(
  serve: ServeDatagram = echoDatagrams,
  host?: string,
  port?: number,
): Promise<DatagramEndpoint> {
  const listening = await listenUdp(serve, host, port);
  later(() => listening.close());
  return listening;
}

export async function client(port: number, options?: ClientOptions): Promise<DatagramPeer> {
  const peer = await datagramClient(port, options);
  later(() => peer.close());
  return peer;
}

/** Whatever is said goes to `to`: nothing is identified by these tests' words. */
export const listenerTo = (port: number, to: string, keys: Readonly<Record<string, unknown>> = {}) => ({
  name: 'any',
  address: `127.0.0.1:${port}`,
  transport: 'udp',
  on_unknown: to,
  ...keys,
});

/** One listener, whose datagrams all go to one upstream, `to`. */
export const configTo = (
  port: number,
  target: DatagramEndpoint | readonly DatagramEndpoint[],
  { listener = {}, upstream = {}, ...rest }: TestConfig & { listener?: object; upstream?: object } = {},
): TestConfig => ({
  ...rest,
  listeners: [listenerTo(port, 'to', { ...listener })],
  upstreams: { to: { endpoints: [target].flat().map((each) => each.target), ...upstream } },
});

export async function start(config: TestConfig, options?: StartOptions): Promise<Daemon> {
  const daemon = await startDaemon(config, options);
  later(() => daemon.stop());
  return daemon;
}

/** A query for the A record of a name (RFC 1035). */
export function dnsQuery(name: string, id = 7): Buffer {
  const header = Buffer.from([id >> 8, id & 255, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const labels = name.split('.').map((label) => Buffer.from([label.length, ...Buffer.from(label)]));
  return Buffer.concat([header, ...labels, Buffer.from([0, 0, 1, 0, 1])]);
}
