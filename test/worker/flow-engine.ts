/** A native engine with one UDP listener, of which the test itself decides where flows go. Needs the build. */

import type { EngineKcpProfile, KcpEvent } from '../../src/addon/kcp.js';
import {
  type Engine,
  type EngineTables,
  type EngineUdp,
  type EngineUpstream,
  native,
  type UdpOptions,
} from '../../src/addon.js';
import { catalog } from '../../src/metrics/catalog.js';
import { bucketsOf, cellOf } from '../../src/metrics/cells.js';
import { createRoom, roomWords } from '../../src/metrics/room.js';
import type { SocketAddress } from '../../src/model/address.js';
import type { ListeningSocket } from '../../src/model/message.js';
import { createBuckets } from '../../src/plane/buckets.js';
import { Answers } from '../../src/worker/answers.js';
import { type Cause, EventCursor, type EventKind, type SessionId } from '../../src/worker/rings.js';
import { RowCursor } from '../../src/worker/rows.js';
import { openAdmission, optionsWith } from '../support/plan.js';

const { arenaBytes, layout } = native;
const bufferBytes = 32_768;

/** First cells of the rows that are counted in. */
const rows = { worker: 1, listener: 500, unknown: 600, upstream: 800, endpoint: 1000, cells: 2000 } as const;

/** Links at the listener, and to the endpoints. */
export interface EngineLinks {
  readonly profile: EngineKcpProfile;
  readonly takes?: 'links' | 'both';
  readonly over?: boolean;
  readonly onEvent: (event: KcpEvent, engine: Engine) => void;
}

/** An event as the test sees it. */
export interface Seen extends SessionId {
  readonly kind: EventKind;
  readonly cause: Cause;
  readonly reason: string;
  readonly during: string;
  readonly by: string;
  readonly source: string;
  readonly isDatagram: boolean;
  readonly isKcp: boolean;
  readonly bytes: Buffer;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly error: number;
  readonly upstream: number;
  readonly endpoint: number;
  readonly refused: string;
}

export interface FlowEngineOptions {
  readonly endpoints: readonly SocketAddress[];
  readonly host?: string;
  readonly udp?: Partial<EngineUdp>;
  readonly quic?: Partial<EngineUpstream['quic']>;
  /** Of all workers; default: its own. */
  readonly room?: Int32Array;
  readonly bandwidth?: { up: number; down: number; per: 'session' | 'source' | 'endpoint' | 'upstream' };
  readonly tables?: Partial<EngineTables>;
  readonly trustedProxies?: readonly { address: string; bits: number }[];
  readonly identifies?: boolean;
  readonly socket?: Partial<UdpOptions>;
  readonly links?: EngineLinks;
  /** Connections, too: at `streamPort`. */
  readonly streams?: boolean;
  readonly dialTimeoutMs?: number;
  readonly upstream?: Partial<EngineUpstream>;
  /** Of the upstream, as in a configuration. */
  readonly options?: Parameters<typeof optionsWith>[0];
  /** Takes connections from there, too. */
  readonly inbox?: number;
  /** Before each datagram to an endpoint. */
  readonly preamble?: Uint8Array;
  /** What to do with a flow; default: the first endpoint. */
  readonly decide?: (flow: Seen, engine: FlowEngine) => void;
}

/** Over 20 methods: it is the policy of an engine, and what a test asks of it. */
export class FlowEngine {
  readonly engine: Engine;
  readonly answers: Answers;
  readonly seen: Seen[] = [];
  readonly port: number;
  readonly streamPort: number;
  readonly room: Int32Array;
  readonly #counters = new Float64Array(new SharedArrayBuffer(rows.cells * 8));
  readonly #events = new EventCursor(layout);
  readonly #arena = new ArrayBuffer(arenaBytes(bufferBytes));
  readonly #sockets: ListeningSocket[] = [];
  #options: FlowEngineOptions;
  #generation = 0;

  constructor(options: FlowEngineOptions) {
    this.#options = options;
    this.room = options.room ?? new Int32Array(createRoom());
    this.answers = new Answers(layout, () => this.engine.flush());
    this.engine = new native.Engine({
      arena: this.#arena,
      events: this.#events.memory,
      answers: this.answers.memory,
      counters: this.#counters,
      counting: { workerRow: rows.worker, cells: cellOf, buckets: bucketsOf },
      room: this.room,
      buckets: new BigInt64Array(createBuckets()),
      bufferBytes,
      pipesMax: 0,
      worker: 0,
      onTurn: (from, to) => this.#onTurn(from, to),
      onKcp: (event) => this.#options.links?.onEvent(event, this.engine),
    });
    const { host = '127.0.0.1' } = options;
    const fd = native.bindUdp(
      { host, port: 0 },
      { reusePort: true, receiveBuffer: 4 * 1024 * 1024, ...options.socket },
    );
    this.port = this.#add('udp', fd);
    const listening = options.streams
      ? native.listen({ host, port: 0 }, { reusePort: false, backlog: 128 })
      : undefined;
    this.streamPort = listening === undefined ? 0 : this.#add('tcp', listening);
    this.adopt();
    if (options.inbox !== undefined) this.engine.takeFrom(options.inbox);
  }

  #add(transport: 'tcp' | 'udp', fd: number): number {
    this.#sockets.push({ transport, socket: native.socketNumber(fd), listener: 0, fd });
    const address = native.localAddress(fd);
    return 'port' in address ? address.port : 0;
  }

  /** Puts tables into force: with these options instead of those before; `sockets` false: without the socket. */
  adopt(change: Partial<FlowEngineOptions> = {}, sockets = true): void {
    this.#options = { ...this.#options, ...change };
    this.#generation += 1;
    this.engine.prepare(this.tables(), sockets ? this.#sockets : []);
    this.engine.commit();
  }

  /** To this endpoint; of `count`, it has the addresses of those behind it, too. */
  dial(flow: SessionId, endpoint = 0, count = 1): void {
    const { preamble = null } = this.#options;
    this.answers.dial(flow, 0, {
      first: endpoint,
      count,
      patient: false,
      endpoint: endpointId(endpoint),
      endpointRow: rows.endpoint,
      upstream: 0,
      preamble: preamble && { bytes: preamble, expected: 0 },
    });
  }

  /** Applies answers that were written outside of an event. */
  flush(): void {
    this.engine.flush();
  }

  /** The endpoints of live sessions that have addresses of their own. */
  ownAddresses(): string[] {
    const rowsOfAll = new RowCursor(layout);
    this.engine.list(0, rowsOfAll.memory);
    return Array.from({ length: rowsOfAll.count }, (_, row) => {
      rowsOfAll.moveTo(row);
      return rowsOfAll.ownAddress();
    });
  }

  /** Refused clients that linger, and those that did, by result. */
  get lingering(): number {
    return this.#cell('worker', 'anyport_lingering_connections');
  }
  get lingered(): Record<string, number> {
    const results = ['closed', 'timeout', 'too_much', 'over_limit', 'shutdown'];
    const at = rows.worker + cellOf.anyport_lingering_total;
    return Object.fromEntries(
      results.flatMap((result, index) => {
        const count = this.#counters[at + index] as number;
        return count === 0 ? [] : [[result, count]];
      }),
    );
  }

  of(kind: EventKind): Seen[] {
    return this.seen.filter((each) => each.kind === kind);
  }

  get flows(): number {
    return this.#cell('listener', 'anyport_udp_flows');
  }
  get flowsOfAll(): number {
    return this.room[roomWords.flows] as number;
  }
  get datagrams(): { up: number; down: number } {
    const at = rows.listener + cellOf.anyport_udp_datagrams_total;
    return { up: this.#counters[at] as number, down: this.#counters[at + 1] as number };
  }
  /** By reason, those above 0. */
  get dropped(): Record<string, number | undefined> {
    const { values: reasons } = catalog.anyport_udp_dropped_total.by;
    const at = rows.listener + cellOf.anyport_udp_dropped_total;
    const counts = reasons.map((reason, index) => [reason, this.#counters[at + index]] as const);
    return Object.fromEntries(counts.filter(([, count]) => count !== 0));
  }
  /** Flows that connection ids have led to the upstream. */
  get followed(): number {
    return this.#cell('upstream', 'anyport_quic_followed_total');
  }
  get links(): number {
    return this.#cell('worker', 'anyport_kcp_links');
  }
  get linkDrops(): { refused: number; replayed: number; malformed: number; unknown: number; full: number } {
    const at = rows.worker + cellOf.anyport_kcp_dropped_total;
    const [refused = 0, replayed = 0, malformed = 0, unknown = 0, full = 0] = this.#counters.slice(
      at,
      at + 5,
    );
    return { refused, replayed, malformed, unknown, full };
  }
  get endpointSessions(): number {
    return this.#counters[rows.endpoint + cellOf.anyport_endpoint_sessions] as number;
  }

  close(): void {
    this.engine.close();
    for (const { fd } of this.#sockets) native.closeFd(fd);
  }

  #cell(row: keyof typeof rows, metric: keyof typeof cellOf): number {
    return this.#counters[rows[row] + cellOf[metric]] as number;
  }

  #onTurn(from: number, to: number): void {
    const decide = this.#options.decide ?? ((flow: Seen) => this.dial(flow));
    for (let at = from; at < to; at += 1) {
      this.#events.moveTo(at);
      const event = this.#seen();
      this.seen.push(event);
      if (event.kind === 'followed') this.dial(event, endpointIndex(event.endpoint));
      else if (['arrived', 'classified', 'unreachable', 'moved', 'proxied'].includes(event.kind))
        decide(event, this);
    }
  }

  #seen(): Seen {
    const events = this.#events;
    const hasBytes = events.kind === 'classified' || events.kind === 'proxied';
    const from = events.bytesOffset;
    return {
      kind: events.kind,
      cause: events.cause,
      slot: events.slot,
      generation: events.generation,
      reason: events.reason,
      during: events.during,
      by: events.by,
      source: `${events.sourceAddress()}:${events.sourcePort}`,
      isDatagram: events.isDatagram,
      isKcp: events.isKcp,
      bytes: hasBytes ? Buffer.from(this.#arena.slice(from, from + events.bytesLength)) : Buffer.alloc(0),
      bytesUp: events.bytesUp,
      bytesDown: events.bytesDown,
      error: events.error,
      upstream: events.upstream,
      endpoint: events.endpoint,
      refused: events.kind === 'refused' ? events.check : '',
    };
  }

  /** With the options in force. */
  tables(): EngineTables {
    const {
      endpoints,
      udp,
      quic,
      bandwidth,
      tables,
      trustedProxies = [],
      identifies = false,
      links,
    } = this.#options;
    const options = optionsWith(this.#options.options);
    return {
      generation: this.#generation,
      identifyTimeoutMs: 5000,
      identifyMinBytes: 1024,
      longOpeningsPerSource: 64,
      admission: openAdmission,
      identifyMaxBytes: 65_536,
      maxConnections: 10,
      flowsMax: 65_536,
      flowsPerSource: 0,
      tarpitMax: 256,
      tarpitHoldMs: 60_000,
      classifiers: [new native.Classifier({ automata: [], routable: 0 })],
      listeners: [
        {
          id: 2,
          classifier: 0,
          datagramClassifier: 0,
          quic: -1,
          row: rows.listener,
          unknownRow: rows.unknown,
          silenceMs: 0,
          nameUnrouted: true,
          namingMs: 0,
          trustedProxies,
          trustsUnix: false,
          kcp: links?.takes ? 0 : -1,
          kcpOnly: links?.takes === 'links',
          asksAtAccept: !identifies,
          maxConnections: 0,
        },
      ],
      upstreams: [
        {
          id: 3,
          row: rows.upstream,
          maxConnections: 0,
          queueLength: 0,
          queueTimeoutMs: 0,
          dialTimeoutMs: this.#options.dialTimeoutMs ?? 1000,
          idleTimeoutMs: 60_000,
          halfCloseTimeoutMs: 1000,
          kcp: links?.over ? 0 : -1,
          tls: null,
          bandwidth: bandwidth ?? options.bandwidth,
          udp: {
            idleTimeoutMs: 60_000,
            responses: 0,
            amplification: 0,
            onReload: 'move',
            per: 'flow',
            ...udp,
          },
          quic: { follows: false, idBytes: 0, ...quic },
          endpoints: endpoints.map((_, index) => endpointId(index)),
          ...this.#options.upstream,
        },
      ],
      dials: [{ addresses: endpoints, options }],
      warmed: [],
      kcpProfiles: links ? [links.profile] : [],
      ...tables,
    };
  }
}

const endpointId = (index: number): number => 10 + index;
const endpointIndex = (id: number): number => id - 10;
