/** An engine of streams, and what it takes to test it: a test answers each event of a session itself. */
import { afterEach } from 'vitest';
import type { InetAddress } from '../../src/model/address.js';
import type { Dial } from '../../src/worker/answers.js';
import type { SessionId } from '../../src/worker/rings.js';
import { listenSilently, type Silent } from '../support/silent.js';
import { dial, listenTcp, type Peer, type Upstream } from '../support/tcp.js';
import { eventually } from '../support/wait.js';
import { type EngineLinks, FlowEngine, type FlowEngineOptions, type Seen } from './flow-engine.js';
import { agreedBy, answerWith, kcpProfile } from './kcp-endpoint.js';

export const at = (port: number, host = '127.0.0.1'): InetAddress => ({ host, port });

/** A listener whose datagrams are those of links; it accepts every one. */
export const ofLinks: EngineLinks = {
  profile: kcpProfile,
  takes: 'links',
  onEvent(event, engine) {
    if (event.kind === 'hello')
      engine.kcpAccept(event.handle, { ...agreedBy('server'), answer: answerWith(event.token) });
  },
};

/** Connects the session to addresses of its own. */
export function dialOwn(
  { answers }: FlowEngine,
  session: SessionId,
  addresses: readonly InetAddress[],
  more: Partial<Omit<Dial, 'first' | 'count'>> = {},
): void {
  const aim = { endpoint: 0, endpointRow: 0, upstream: 0, patient: false, preamble: null };
  answers.dial(session, 0, { ...aim, ...more, addresses });
}

/** Servers, clients and engines that are gone after each test. */
export function useEngines() {
  const stops: (() => unknown)[] = [];
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });
  return {
    later(stop: () => unknown): void {
      stops.push(stop);
    },
    /** `decide`: what to answer to an opening. Other events are for the test to look at. */
    engineOf(
      decide: (session: Seen, engine: FlowEngine) => void,
      options: Partial<FlowEngineOptions> = {},
    ): FlowEngine {
      const engine = new FlowEngine({
        endpoints: [],
        streams: true,
        identifies: true,
        // The second SYN follows after a second.
        dialTimeoutMs: 10_000,
        decide: (session, its) => {
          if (session.kind === 'classified') decide(session, its);
        },
        ...options,
      });
      stops.push(() => engine.close());
      return engine;
    },
    async serve(handle?: (peer: Peer) => void, host?: string): Promise<Upstream> {
      const server = await listenTcp(handle, host);
      stops.push(() => server.close());
      return server;
    },
    async silent(host?: string): Promise<Silent> {
      const address = await listenSilently(host);
      stops.push(() => address.close());
      return address;
    },
    async client({ streamPort }: FlowEngine, from?: string): Promise<Peer> {
      const client = await dial(streamPort, from);
      stops.push(() => client.socket.destroy());
      return client;
    },
  };
}

/** The address that the only session tries, or has connected to. */
export const ownAddress = (engine: FlowEngine): Promise<string> =>
  eventually('its address', () => engine.ownAddresses().find((address) => address !== ''));

/** The first event of a kind. */
export const first = (engine: FlowEngine, kind: Seen['kind']): Promise<Seen> =>
  eventually(`the event \`${kind}\``, () => engine.of(kind)[0]);
