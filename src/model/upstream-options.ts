/** What shares a limit of speed; names as in native/plan/plan.h. */
export const bandwidthScopes = ['session', 'source', 'endpoint', 'upstream'] as const;
export type BandwidthScope = (typeof bandwidthScopes)[number];

/**
 * Options of an upstream besides its endpoints: one object, passed unchanged from the schema
 * (src/config/schema/upstreams.ts) to its users. Keys as in the file, defaults filled in, times in milliseconds. The
 * schema must satisfy this declaration.
 */
export interface UpstreamOptions {
  /** Key in the table of strategies (src/upstream/balance). */
  readonly balance: string;
  /** What hashes know a client by: key in the table of src/upstream/key.ts. */
  readonly hash_key: string;
  /** What a client is known by that goes to its last endpoint again: a key likewise, or `off`. */
  readonly affinity: string;
  /** Time in which the share of an endpoint that comes up rises; 0: whole at once. */
  readonly slow_start: number;
  /** Sessions at once for each endpoint; 0: no limit. */
  readonly max_connections: number;
  /** Sessions that may wait for a place, all workers together, and how long. */
  readonly queue: { readonly length: number; readonly timeout: number };
  /** Further endpoints to try while no byte has reached one. */
  readonly retries: number;
  /** Absent: the server's. */
  readonly dial_timeout?: number | undefined;
  readonly idle_timeout?: number | undefined;
  readonly half_close_timeout?: number | undefined;
  /** Connections opened ahead. */
  readonly pool: {
    /** At most, for each endpoint, all workers together; 0: none. */
    readonly warm: number;
    /** How long one may wait for a session, in milliseconds. */
    readonly max_idle: number;
  };
  readonly dns: {
    /** Interval between look-ups of a name; `ttl`: when the time to live of its records is over. */
    readonly refresh: number | 'ttl';
    /** A name that can not be looked up keeps its last addresses; else it has none. */
    readonly keep_last_good: boolean;
    /** Addresses of names that are used; with `any` and `ipv4_first` both families are. */
    readonly family: DnsFamily;
  };
  /** Options of TCP connections to endpoints; ignored for Unix sockets. */
  readonly tcp: {
    /** Maximum segment size in bytes; 0: system default. */
    readonly mss: number;
    /** Idle time before the first keepalive probe, and interval between probes; 0: off. */
    readonly keepalive: number;
    /** TCP_USER_TIMEOUT: upper bound on the time sent data stays unacknowledged; 0: system default. */
    readonly user_timeout: number;
    /** Name of a congestion control; empty: system default. */
    readonly congestion: string;
    readonly nodelay: boolean;
  };
  /** Of flows. */
  readonly udp: UdpOptions;
  readonly quic: QuicOptions;
  /** Where connections to endpoints come from; ignored for Unix sockets. */
  readonly source: {
    /** At most one of each family; endpoints of a family without one are not dialled. Empty: the system chooses. */
    readonly address: readonly string[];
    /** Empty: by the routes. */
    readonly interface: string;
    /** The client's address is the source. */
    readonly transparent: boolean;
  };
  /** Absent: nobody asks endpoints whether they are well. */
  readonly health_check?: HealthCheckOptions | undefined;
  /** Absent: sessions that fail say nothing of an endpoint. */
  readonly passive_health?: PassiveHealthOptions | undefined;
  /** What becomes of the sessions of an endpoint that its check takes down. */
  readonly on_down: 'keep' | 'reset';
  /** Limits of speed in bytes a second; 0: none. `per`: what shares them. */
  readonly bandwidth: {
    readonly up: number;
    readonly down: number;
    readonly per: BandwidthScope;
  };
  /** What an endpoint is told of a session before its first byte. */
  readonly proxy_protocol: ProxyProtocolOptions;
  /** How endpoints are reached: by a connection each session, or all by a link. */
  readonly over: (typeof upstreamCarriers)[number];
  /** Name of the profile of its links; of `over: kcp`. */
  readonly kcp?: string | undefined;
  /** DSCP of packets to endpoints (RFC 2474); 0: system default. */
  readonly dscp: number;
}

export const upstreamCarriers = ['tcp', 'kcp'] as const;

/** What becomes of a flow whose endpoint a reload takes away; names as in native/plan. */
export const flowMoves = ['keep', 'move', 'close'] as const;
/** What is balanced. */
export const datagramUnits = ['flow', 'datagram'] as const;

export interface UdpOptions {
  /** Absent: the server's. */
  readonly idle_timeout?: number | undefined;
  /** Answers to each datagram of the client after which a flow is done; 0: it ends by its time alone. */
  readonly responses: number;
  /** Bytes down for each byte up, until the client has been heard of again after the first answer; 0: no limit. */
  readonly amplification: number;
  readonly on_reload: (typeof flowMoves)[number];
  readonly per: (typeof datagramUnits)[number];
}

export interface QuicOptions {
  /** A client whose address changes goes to the endpoint that has issued its connection id. */
  readonly follow_connection_id: boolean;
  /** Bytes of these ids; 0: as learned. */
  readonly connection_id_length: number;
}

export interface PassiveHealthOptions {
  /** Failures in the window that eject an endpoint. */
  readonly max_fails: number;
  readonly window: number;
  /** How long the first ejection lasts. */
  readonly eject: number;
  /** Percent of the upstream's endpoints that may be ejected at once. */
  readonly max_ejected: number;
}

/** Keys that every type of check has; those of its own are beside them, plain data (src/health/checks). */
export interface HealthCheckOptions {
  /** Key in the table of checks. */
  readonly type: string;
  readonly interval: number;
  readonly timeout: number;
  /** Good answers in a row that bring an endpoint up. */
  readonly rise: number;
  /** Bad answers in a row that take it down. */
  readonly fall: number;
  /** Interval while the endpoint is changing; 0: as `interval`. */
  readonly fast_interval: number;
  /** Percent by which a wait may be shorter. */
  readonly jitter: number;
  /** Instead of the endpoint's. */
  readonly port?: number | undefined;
  /** Literal, instead of the endpoint's. */
  readonly address?: string | undefined;
}

export const dnsFamilies = ['any', 'ipv4', 'ipv6', 'ipv4_first'] as const;
export type DnsFamily = (typeof dnsFamilies)[number];

/** TLVs that a PROXY header of version 2 can have. */
export const proxyTlvs = ['alpn', 'authority', 'unique_id', 'crc32c'] as const;
export type ProxyTlv = (typeof proxyTlvs)[number];

export interface ProxyProtocolOptions {
  readonly version: 'off' | 'v1' | 'v2';
  /** Empty below version 2. */
  readonly tlvs: readonly ProxyTlv[];
}
