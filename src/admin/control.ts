/** What the monitoring servers and the control interface need from the primary. */
import type { BanList, BanRequest, BanResult, LiftResult } from '../model/ban.js';
import type { ClusterStatus } from '../model/cluster-status.js';
import type { Document, Problem } from '../model/config.js';
import type { DiffItem } from '../model/diff.js';
import type { AskedState } from '../model/health-status.js';
import type { KcpLinkList } from '../model/kcp-links.js';
import type { ListStatus } from '../model/list-status.js';
import type { ListeningAddress } from '../model/listening-address.js';
import type { OriginText, SaidBy } from '../model/origins.js';
import type { EndpointOverride, EndpointState } from '../model/overrides.js';
import type { AddressText } from '../model/session.js';
import type { EndedSession, SessionList, SessionQuery } from '../model/session-list.js';
import type { ChangeResult } from '../model/settings.js';
import type { Snapshot } from '../model/snapshot.js';

export interface Health {
  /** `ready`: all workers accept; `degraded`: some workers are being restarted, the others accept. */
  readonly status: 'starting' | 'ready' | 'degraded' | 'draining';
  readonly workers: { readonly wanted: number; readonly accepting: number };
  readonly listeners: readonly ListeningAddress[];
}

export interface Control {
  health(): Health;
  readonly metrics: { readonly contentType: string; scrape(): Promise<string> };
}

/** The control interface: what an operator sees and does. Names in JSON are those of these types. */
export interface Operations extends Control {
  readonly version: string;
  status(): Status;
  config(): RunningConfig;
  replaceConfig(document: Document, ifTag: string | null): Promise<EditResult>;
  diff(document: Document): Promise<DiffResult>;
  reload(): Promise<EditResult>;
  /** Asks for the drain that SIGTERM asks for. */
  drain(): DrainStarted;
  sessions(query: SessionQuery): Promise<SessionList>;
  endSession(id: string): Promise<EndedSession>;
  kcpLinks(limit: number): Promise<KcpLinkList>;
  bans(limit: number): BanList;
  ban(request: BanRequest): BanResult;
  /** Null: it is not banned. */
  liftBan(ip: string): LiftResult;
  upstreams(): readonly UpstreamStatus[];
  /** Null: there is no such endpoint. */
  overrideEndpoint(
    upstream: string,
    endpoint: string,
    change: Partial<EndpointOverride>,
  ): Promise<OverrideResult | null>;
  protocols(): readonly ProtocolStatus[];
  routes(): readonly RouteStatus[];
  addProtocol(entry: ProtocolEntry): Promise<EditResult>;
  /** In its place; `merge` keeps what the entry does not name. */
  replaceProtocol(name: string, entry: Partial<ProtocolEntry>, how: 'replace' | 'merge'): Promise<EditResult>;
  removeProtocol(name: string): Promise<EditResult>;
}

export interface Status extends Snapshot {
  readonly version: string;
  readonly pid: number;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly uptimeSeconds: number;
  readonly status: Health['status'];
  readonly listeners: Health['listeners'];
  readonly config: {
    /** The file it came from, or another name. */
    readonly name: string;
    readonly changedAt: string;
  };
  /** Null: none since the start. */
  readonly lastChange: LastChangeStatus | null;
  /** Who says how much of the configuration. */
  readonly saidBy: readonly SaidBy[];
  /** Lists of networks that are not empty. */
  readonly lists: readonly ListStatus[];
  /** Null: this node is alone. */
  readonly cluster: ClusterStatus | null;
  /** Null unless draining. */
  readonly drain: DrainStarted | null;
}

export interface LastChangeStatus {
  readonly cause: string;
  readonly at: string;
  readonly result: 'applied' | 'unchanged' | 'refused';
  /** Why it was refused; empty otherwise. */
  readonly problems: readonly Problem[];
}

export interface DrainStarted {
  /** Sessions still open. */
  readonly sessions: number;
  /** In which it still accepts. */
  readonly delayMs: number;
  /** After that; then what is left is cut. */
  readonly deadlineMs: number;
}

export interface RunningConfig {
  /** In the file's shape; secrets are veiled. */
  readonly document: Document;
  /** Changes with the document. */
  readonly tag: string;
}

/** A change of the configuration; beside what any change may end in, what the edit itself found. */
export type EditResult =
  | ChangeResult
  /** The configuration is not the one that the client has seen. */
  | { readonly result: 'changed_meanwhile' }
  | { readonly result: 'exists' }
  | { readonly result: 'missing' };

export type OverrideResult =
  | { readonly result: 'applied'; readonly generation: number }
  | Extract<ChangeResult, { result: 'refused' | 'called_off' }>;

export type DiffResult =
  | { readonly ok: true; readonly items: readonly LiveDiffItem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };

export interface LiveDiffItem extends DiffItem {
  /** Live sessions that the item touches; null where sessions are not counted by it. */
  readonly sessions: number | null;
}

export interface UpstreamStatus {
  readonly name: string;
  /** In-process handler; null: relayed to the endpoints. */
  readonly handler: string | null;
  readonly balance: string;
  /** As of an Origin. */
  readonly from: OriginText | null;
  readonly endpoints: readonly EndpointStatus[];
}

export interface EndpointStatus {
  readonly name: string;
  /** As of an upstream. */
  readonly from: OriginText | null;
  /** Resolved; empty while the name does not resolve. */
  readonly addresses: readonly AddressText[];
  /** In force. */
  readonly weight: number;
  readonly configuredWeight: number;
  readonly backup: boolean;
  /** As an operator has set it. */
  readonly state: EndpointState;
  /** All things considered: new sessions go there, or would if it were not drained. */
  readonly up: boolean;
  /** Why it is not up; null: it is. */
  readonly why: string | null;
  readonly health: EndpointHealth;
  /** Connected or connecting now. */
  readonly sessions: number;
}

/** What checks and sessions tell; times are ISO 8601. */
export interface EndpointHealth {
  /** Type of its active check; null: it has none. */
  readonly check: string | null;
  /** When it went down or came up last; null: never since the start. */
  readonly since: string | null;
  readonly lastCheck: {
    readonly at: string;
    readonly well: boolean;
    readonly words: string | null;
    readonly tookMs: number;
  } | null;
  /** Null: it is not ejected. */
  readonly ejectedUntil: string | null;
  /** What its agent asks for. */
  readonly asks: AskedState;
  /** Percent of its weight that count now. */
  readonly sharePercent: number;
}

export interface ProtocolStatus {
  readonly name: string;
  readonly id: string;
  /** 1 is asked first. */
  readonly rank: number;
  /** As configured; null: after all that have one. */
  readonly priority: number | null;
  readonly builtIn: boolean;
  /** Name of an upstream, or how the session is closed; null: routed by `routes` alone. */
  readonly target: string | null;
  readonly signature: string;
  /** As of an Origin. */
  readonly from: OriginText | null;
}

/** A route, in the order in which they are asked. */
export interface RouteStatus {
  /** As in the log. */
  readonly name: string;
  /** Name of an upstream, or how the session is closed; null: where the client asks for. */
  readonly target: string | null;
  /** As of an Origin. */
  readonly from: OriginText | null;
}

/** An entry of `protocols` in the file's shape. */
export type ProtocolEntry = Readonly<Record<string, unknown>>;
