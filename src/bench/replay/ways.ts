/** How sessions of a recording find their way through a daemon that is configured for them: by listener, protocol and upstream. */
import type { Document } from '../../model/config.js';
import { CUSTOM_START, namesHost, openedAs, openingOf } from './openings.js';
import { CUSTOM, type RecordedSession } from './recording.js';

/** Where a session's client connects, and what it says first. */
export interface Way {
  /** Name of a listener. */
  readonly door: string;
  /** Ways of one name have the same openings. */
  readonly name: string;
  /** The protocol of its opening; null: it has none. */
  readonly protocol: string | null;
  /** At most so long, or the shortest there is; where it is not `sized`, always the same. */
  opening(bytes: number): Promise<Buffer>;
  readonly isSized: boolean;
}

export interface Ways {
  of(session: RecordedSession): Promise<Way>;
  /** Of the daemon's configuration, for all ways that were asked for. */
  sections(endpoint: string): Document;
  /** Where paths in it begin; absent: it has none. */
  readonly directory?: string;
}

const PLAIN = 'plain';
const plain: Way = {
  ...{ door: PLAIN, name: PLAIN, protocol: null, isSized: false },
  opening: async () => Buffer.alloc(0),
};

const upstreamName = (upstream: number): string => `upstream-${upstream}`;
const hostOf = (upstream: number): string => `u${upstream}.test`;

/** A protocol, and where its opening leads to: its host tells upstreams apart. */
interface Told {
  readonly protocol: string;
  readonly upstream: number;
}

export function createWays(): Ways {
  const doors = new Set<string>();
  const told = new Map<string, Told>();
  return {
    async of({ protocol: recorded, listener, upstream: number }) {
      if (recorded === null) {
        doors.add(PLAIN);
        return plain;
      }
      const protocol = openedAs(recorded);
      const upstream = namesHost(protocol) ? number : 0;
      const door = `listener-${listener}`;
      const name = `${protocol} ${upstream}`;
      doors.add(door);
      told.set(name, { protocol, upstream });
      return wayOf(door, name, protocol, hostOf(upstream));
    },
    sections: (endpoint) => sectionsFor(endpoint, [...doors], [...told.values()]),
  };
}

export const wayOf = (door: string, name: string, protocol: string, host: string): Way => ({
  ...{ door, name, protocol },
  opening: (bytes) => openingOf(protocol, host, bytes),
  isSized: namesHost(protocol),
});

function sectionsFor(endpoint: string, doors: readonly string[], told: readonly Told[]): Document {
  const address = '127.0.0.1:0';
  const used = [...new Set(told.map(({ protocol }) => protocol))];
  const named = told.filter(({ protocol }) => namesHost(protocol));
  const upstreams = [...new Set(named.map(({ upstream }) => upstream))];
  return {
    listeners: doors.filter((name) => name !== PLAIN).map((name) => ({ name, address })),
    ...(doors.includes(PLAIN) && { forwards: [{ name: PLAIN, listen: address, target: endpoint }] }),
    protocols: used.map((name) => ({
      ...(name === CUSTOM ? { name: 'Custom', start_bytes: [CUSTOM_START] } : { name }),
      target: endpoint,
    })),
    upstreams: Object.fromEntries(upstreams.map((each) => [upstreamName(each), { endpoints: [endpoint] }])),
    routes: named.map(({ protocol, upstream }) => ({
      when: { protocol, [protocol === 'tls' ? 'sni' : 'host']: hostOf(upstream) },
      to: upstreamName(upstream),
    })),
  };
}
