/**
 * The options of `createAnyport` and `updateConfig`: the configuration file in camelCase, with the keys of `server` at
 * the top. What a key means, its bounds and its default are in docs/configuration.md under the file's spelling; a test
 * compares the names with the schema.
 */
import type { Handler } from '../handlers/handler.js';

/** `250ms`, `5s`, `30m`, `1h`; a number is milliseconds. */
export type Duration = string | number;

/** Bytes, or `64KiB`, `1MiB`. */
export type Size = string | number;

/** `:9090`, `127.0.0.1:0`, `[::]:443`, `9000-9010`, `unix:/run/a.sock`; a number is a port on every address. */
export type ListenAddress = string | number;

/** What an option of a list takes: one value or several. */
export type OneOrMore<Value> = Value | readonly Value[];

export interface AnyportOptions extends ServerOptions {
  readonly protocols?: readonly ProtocolDefinition[];
  /** Ports that need more than `listen` says. */
  readonly listeners?: readonly ListenerOptions[];
  /** The first whose conditions all hold is taken; the targets of protocols come after these. */
  readonly routes?: readonly RouteOptions[];
  /** Targets by name. */
  readonly upstreams?: Readonly<Record<string, UpstreamOptions>>;
  /** Ports that are passed on as they are. */
  readonly forwards?: readonly ForwardOptions[];
  readonly security?: SecurityOptions;
  /** HTTP servers for metrics and health; without it there are none, and `metricsText()` has the same text. */
  readonly monitoring?: MonitoringOptions;
  readonly logging?: LoggingOptions;
  readonly admin?: AdminOptions;
  /** This instance as a node of a cluster, by etcd. */
  readonly distributed?: DistributedOptions;
  /** For clients that are configured to use a proxy: HTTP CONNECT, and SOCKS. */
  readonly connectProxy?: ConnectProxyOptions;
  /** Reserved; not typed yet. */
  readonly docker?: Readonly<Record<string, unknown>>;
  /** Profiles of reliable UDP, by name. */
  readonly kcp?: Readonly<Record<string, KcpProfileOptions>>;
}

/** Options of `createAnyport` alone: they are no configuration and can not be changed by `updateConfig`. */
export interface InstanceOptions {
  /** Takes log lines; without it nothing is logged, least of all to standard output. */
  readonly logger?: LibraryLogger;
  /** Base of relative module paths. Default: the working directory. */
  readonly directory?: string;
}

export interface ServerOptions {
  /** Where to listen, if `listen()` is called without an address. */
  readonly listen?: OneOrMore<ListenAddress>;
  /**
   * 0, the default: the data plane runs on the calling thread, and handlers and validators may be functions.
   * 1 to 256, or `auto` for the cores there are: threads of their own, with modules only.
   */
  readonly workers?: number | 'auto';
  /** With threads: a listening socket for each, or one thread that hands connections to the least loaded. */
  readonly accept?: 'reuseport' | 'handoff';
  readonly maxConnections?: number;
  readonly maxConnectionsPerIp?: number;
  readonly maxIdentifying?: number;
  readonly longOpeningsPerIp?: number;
  /** Connections that `tarpit` holds at once, and how long. */
  readonly tarpitMax?: number;
  readonly tarpitHold?: Duration;
  readonly bufferSize?: Size;
  readonly identifyTimeout?: Duration;
  readonly identifyMinBytes?: Size;
  readonly identifyMaxBytes?: Size;
  readonly cacheTtl?: Duration;
  readonly dialTimeout?: Duration;
  readonly idleTimeout?: Duration;
  readonly halfCloseTimeout?: Duration;
  /** Datagrams of one client address are a session, a flow. */
  readonly udp?: {
    readonly idleTimeout?: Duration;
    readonly maxFlows?: number;
    readonly maxFlowsPerIp?: number;
    readonly receiveBuffer?: Size;
  };
  /** At a `close` with a drain: time from "not ready" to the end of accepting. */
  readonly drainDelay?: Duration;
  /** How long `close()` lets sessions finish. */
  readonly gracefulShutdownTimeout?: Duration;
  /** How long a new process may take to be ready, when a daemon is upgraded in place. */
  readonly upgradeTimeout?: Duration;
}

/** What a custom protocol's validator answers: it is this protocol, it is not, or more bytes are needed. */
export type ValidatorAnswer = 'match' | 'no' | 'more';

/** Settles what the signature has matched. Gets a copy of at most 16 KiB of the opening; must answer at once. */
export type Validator = (bytes: Uint8Array) => ValidatorAnswer;

/** Bytes of a signature: hexadecimal digits, or the bytes themselves. */
export type SignatureBytes = string | Uint8Array;

/** Where the sessions of a protocol go. */
export interface Destination {
  /**
   * `host:port`; several, with commas or as a list, are balanced; the name of one of `upstreams`; `reset`, `close`,
   * `drop` or `tarpit`; or an upstream of its own with options.
   */
  readonly target?: string | readonly EndpointOptions[] | UpstreamOptions;
  /** Instead of `target`: serves sessions in this process. A function with `workers: 0`; else a module's path or `builtin:NAME`. */
  readonly handler?: Handler | string;
  /** 1 ranks first; without one a protocol ranks after all that have one. */
  readonly priority?: number;
}

/** A built-in by name, in any letter case; or, with any key of `Signature`, a protocol of your own. */
export interface ProtocolDefinition extends Destination, SignatureOptions {
  readonly name: string;
}

/** How a custom protocol is recognised. Every key given must hold; of a list, one alternative is enough. */
export interface SignatureOptions {
  /** Whether its first bytes are those of a connection, of a datagram, or of either. Default `tcp`. */
  readonly transport?: 'tcp' | 'udp' | 'tcp+udp';
  /** Expected at `offset`. */
  readonly startBytes?: OneOrMore<SignatureBytes>;
  /** Where `startBytes` begin. Default 0. */
  readonly offset?: number;
  /** Anywhere in the first `identifyMinBytes`. */
  readonly contains?: OneOrMore<SignatureBytes>;
  /** Over bytes (`\x00` to `\xff`), from the first one: begins with `^`. Linear time: no look-around, no back-references, no flags. */
  readonly regex?: OneOrMore<string | RegExp>;
  /** No answer before so many bytes. */
  readonly minBytes?: number;
  /** No match once more have arrived. */
  readonly maxBytes?: number;
  /** A function with `workers: 0`; else a module's path. */
  readonly validate?: Validator | string;
}

/** Its lists hold besides those of `security`. */
/** Who may connect to a listener or a forward. */
export interface AdmissionOptions extends ListOptions {
  /** Permissions of a Unix socket's file, in octal: `0660`. */
  readonly mode?: string;
  readonly proxyProtocol?: { readonly accept?: boolean; readonly trusted?: readonly string[] };
  readonly maxConnections?: number;
}

export interface ListenerOptions extends AdmissionOptions {
  readonly name: string;
  readonly address: ListenAddress;
  readonly transport?: 'tcp' | 'udp' | 'tcp+udp' | 'kcp';
  /** Name of a profile, whose links come to the socket of datagrams. */
  readonly kcp?: string;
  /** Names of the protocols accepted here. Default: all. */
  readonly protocols?: readonly string[];
  /** Where clients go that say nothing, for protocols in which the server speaks first. */
  readonly onSilence?: { readonly after?: Duration; readonly to: string };
  /** An upstream, `reset`, `close`, `drop` or `tarpit`. Default `close`. */
  readonly onUnknown?: string;
}

/** Both ends of a link need the same. */
export interface KcpProfileOptions {
  readonly wire?: 'anyport' | 'kcptun';
  readonly secret?: string;
  readonly cipher?: 'chacha20-poly1305' | 'aes-128-gcm' | 'xsalsa20-poly1305' | 'none';
  readonly serverKey?: string;
  readonly privateKeyFile?: string;
  readonly insecure?: boolean;
  readonly mode?:
    | 'normal'
    | 'fast'
    | 'fast2'
    | 'fast3'
    | {
        readonly nodelay?: boolean;
        readonly interval?: Duration;
        readonly resend?: number;
        readonly nc?: boolean;
      };
  /** UDP payload in bytes. */
  readonly mtu?: number;
  /** Segments. */
  readonly sendWindow?: number;
  readonly receiveWindow?: number;
  readonly fec?: { readonly data?: number; readonly parity?: number; readonly adaptive?: boolean };
  readonly heartbeat?: Duration;
  readonly deadAfter?: Duration;
  readonly statusLog?: Duration;
  readonly kcptun?: {
    readonly key: string;
    /** As kcptun's `--crypt`. */
    readonly crypt?: string;
    readonly smux?: number;
    readonly compression?: boolean;
  };
}

export interface RouteOptions {
  readonly when?: RouteConditions;
  /** An upstream, `reset`, `close`, `drop` or `tarpit`. */
  readonly to: string;
}

/** All must hold. */
export interface RouteConditions extends ConditionSet {
  /** The route holds only where these do not all hold; of a list, where none of its sets does. */
  readonly not?: OneOrMore<ConditionSet>;
}

/** All must hold, each for any value of its list. */
export interface ConditionSet {
  readonly protocol?: OneOrMore<string>;
  readonly listener?: OneOrMore<string>;
  readonly source?: OneOrMore<string>;
  readonly sni?: OneOrMore<string>;
  readonly alpn?: OneOrMore<string>;
  readonly host?: OneOrMore<string>;
  readonly method?: OneOrMore<string>;
  readonly path?: OneOrMore<string>;
  readonly user?: OneOrMore<string>;
  readonly database?: OneOrMore<string>;
  readonly clientId?: OneOrMore<string>;
  readonly time?: OneOrMore<PeriodOptions>;
}

/** A time of the week on the wall clock of a zone. */
export interface PeriodOptions {
  /** Days on which it begins: `mon`, `mon-fri`, or a list. Default: every day. */
  readonly days?: OneOrMore<string>;
  /** `08:00`. Default `00:00`. */
  readonly from?: string;
  /** `18:00`; before `from`: on the next day. Default `24:00`. */
  readonly to?: string;
  /** IANA name. Default `UTC`. */
  readonly zone?: string;
}

export type EndpointOptions =
  | string
  | { readonly address: string; readonly weight?: number; readonly backup?: boolean };

export interface UpstreamOptions {
  readonly endpoints?: readonly EndpointOptions[];
  /** Files with more endpoints, in the JSON of Prometheus' `file_sd`, followed as they change. */
  readonly fileSd?: readonly string[];
  /** As that of a protocol. */
  readonly handler?: Handler | string;
  readonly balance?: Balance;
  readonly hashKey?: 'source' | 'sni' | 'host' | 'client_id';
  readonly affinity?: 'off' | 'source' | 'sni' | 'client_id';
  readonly slowStart?: Duration;
  readonly retries?: number;
  readonly dns?: {
    readonly refresh?: Duration | 'ttl';
    readonly keepLastGood?: boolean;
    readonly family?: 'any' | 'ipv4' | 'ipv6' | 'ipv4_first';
  };
  readonly tcp?: {
    readonly mss?: number;
    readonly keepalive?: Duration;
    /** In milliseconds. */
    readonly userTimeout?: number;
    readonly congestion?: string;
    readonly nodelay?: boolean;
  };
  readonly udp?: {
    readonly idleTimeout?: Duration;
    readonly responses?: number;
    readonly amplification?: number;
    readonly onReload?: 'keep' | 'move' | 'close';
    readonly per?: 'flow' | 'datagram';
  };
  readonly quic?: {
    readonly followConnectionId?: boolean;
    readonly connectionIdLength?: number;
  };
  readonly source?: {
    readonly address?: string | readonly string[];
    readonly interface?: string;
    readonly transparent?: boolean;
  };
  /** `kcp`: sessions are streams of one link, with the profile of `kcp`. */
  readonly over?: 'tcp' | 'kcp';
  readonly kcp?: string;
  readonly dscp?: number;
  readonly dialTimeout?: Duration;
  readonly idleTimeout?: Duration;
  readonly halfCloseTimeout?: Duration;
  readonly healthCheck?: HealthCheckOptions;
  readonly passiveHealth?: {
    readonly maxFails?: number;
    readonly window?: Duration;
    readonly eject?: Duration;
    readonly maxEjected?: number;
  };
  readonly onDown?: 'keep' | 'reset';
  readonly pool?: { readonly warm?: number; readonly maxIdle?: Duration };
  readonly maxConnections?: number;
  readonly queue?: { readonly length?: number; readonly timeout?: Duration };
  readonly proxyProtocol?:
    | 'off'
    | 'v1'
    | 'v2'
    | {
        readonly version?: 'off' | 'v1' | 'v2';
        readonly tlvs?: ('alpn' | 'authority' | 'unique_id' | 'crc32c')[];
      };
  readonly bandwidth?: {
    readonly up?: Size;
    readonly down?: Size;
    readonly per?: 'session' | 'source' | 'endpoint' | 'upstream';
  };
  readonly via?: ProxyOptions | readonly ProxyOptions[];
}

/** A proxy on the way to endpoints: its URL, or that and how its TLS is verified. */
export type ProxyOptions =
  | string
  | { readonly url: string; readonly ca?: string; readonly serverName?: string };

/** Keys of its own that a type of check has are beside the common ones. */
export type HealthCheckOptions = HealthCheckCommon & Readonly<Record<string, unknown>>;

export interface HealthCheckCommon {
  readonly type?: string;
  readonly interval?: Duration;
  readonly timeout?: Duration;
  readonly rise?: number;
  readonly fall?: number;
  readonly fastInterval?: Duration;
  readonly jitter?: number;
  readonly port?: number;
  readonly address?: string;
}

/** A port that is passed on: nothing is identified, and no route is asked. */
export interface ForwardOptions extends AdmissionOptions {
  /** Of a listener, and of an upstream. Default: the address. */
  readonly name?: string;
  readonly listen: ListenAddress;
  readonly scheme?: 'tcp' | 'udp' | 'tcp+udp';
  /** As the target of a protocol; a host without a port keeps that of `listen`, and a range of ports is as long as that. */
  readonly target: string | readonly EndpointOptions[] | UpstreamOptions;
}

export interface SecurityOptions extends ListOptions {
  readonly enableRateLimit?: boolean;
  readonly rateLimit?: {
    readonly requestsPerSecond?: number;
    readonly burstSize?: number;
    readonly totalPerSecond?: number;
    readonly totalBurst?: number;
  };
  readonly enableDdosGuard?: boolean;
  readonly ddosGuard?: {
    readonly window?: Duration;
    readonly threshold?: number;
    readonly failures?: number;
    readonly ban?: Duration;
    readonly banMax?: Duration;
    readonly identifyingPerIp?: number;
  };
  readonly banExport?: string;
}

/** Lists of networks, and of files with an address or network a line. */
export interface ListOptions {
  /** Trusted: not limited as a source, never banned. */
  readonly ipWhitelist?: readonly string[];
  readonly ipWhitelistFiles?: readonly string[];
  /** Refused before a byte is read. */
  readonly ipBlacklist?: readonly string[];
  readonly ipBlacklistFiles?: readonly string[];
  /** If not empty, every other source is refused. */
  readonly allowOnly?: readonly string[];
  readonly allowOnlyFiles?: readonly string[];
}

export interface MonitoringOptions {
  readonly address?: string;
  readonly enableMetrics?: boolean;
  readonly metricsPort?: number;
  readonly enableHealthCheck?: boolean;
  readonly healthCheckPort?: number;
}

export interface LoggingOptions {
  readonly level?: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  /** Without effect here: the logger decides. */
  readonly format?: 'auto' | 'json' | 'pretty';
  readonly accessLog?: boolean;
  /** Lines and `session` events a second. */
  readonly accessLogRate?: number;
}

export interface ConnectProxyOptions {
  /** Names. Default: all that accept HTTP. */
  readonly listeners?: readonly string[];
  /** `*.example.com:443`, `10.1.0.0/16:*`. Default: every public address, on `ports`. */
  readonly allow?: readonly string[];
  readonly deny?: readonly string[];
  readonly ports?: readonly (number | string)[];
  /** Name → hash, as `anyport hash-password` prints it. */
  readonly users?: Readonly<Record<string, string | ProxyUserOptions>>;
  readonly usersFile?: string;
  /** Networks of clients. */
  readonly allowFrom?: readonly string[];
  readonly userLimits?: ProxyUserLimitOptions;
  readonly socks?: boolean;
  /** UDP ASSOCIATE of SOCKS 5. */
  readonly udp?: boolean;
  readonly logUsers?: boolean;
  readonly resolveTimeout?: Duration;
  readonly dialTimeout?: Duration;
  readonly idleTimeout?: Duration;
  readonly halfCloseTimeout?: Duration;
}

/** Of all sessions of a user together. */
export interface ProxyUserLimitOptions {
  readonly maxConnections?: number;
  readonly bandwidth?: { readonly up?: Size; readonly down?: Size };
}

export interface ProxyUserOptions extends ProxyUserLimitOptions {
  readonly hash: string;
}

/** Which endpoint is next. */
export type Balance =
  | 'round_robin'
  | 'weighted_round_robin'
  | 'least_connections'
  | 'random_two'
  | 'source_hash'
  | 'consistent_hash';

/** One node of a cluster among others. Here the environment says nothing. */
export interface DistributedOptions {
  readonly enable?: boolean;
  readonly nodeId?: string;
  readonly etcdEndpoints?: OneOrMore<string>;
  /** Here and in `refreshInterval` a number is seconds. */
  readonly ttl?: string | number;
  readonly prefix?: string;
  readonly advertise?: string;
  /** Paths of PEM files. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
  readonly username?: string;
  readonly password?: string;
  readonly stateFile?: string;
  readonly allowLoopback?: boolean;
  readonly shareHealth?: boolean;
  readonly clusterKey?: string;
  readonly divideLimits?: boolean;
  readonly serviceDiscovery?: { readonly enable?: boolean; readonly refreshInterval?: string | number };
  /** For the daemon: here the program changes its configuration itself. */
  readonly configManager?: Readonly<Record<string, unknown>>;
  readonly loadBalancer?: Balance | { readonly strategy: Balance };
}

export interface AdminOptions {
  readonly listen?: ListenAddress;
  /** Permissions of its Unix socket's file, in octal. Default `0600`. */
  readonly mode?: string;
  readonly token?: string;
  readonly hosts?: OneOrMore<string>;
}

/** `trace` … `fatal`, as in `logging.level`. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal';

export interface LogLine {
  readonly level: LogLevel;
  readonly msg: string;
  /** Further fields, in the spelling of the daemon's log. */
  readonly [field: string]: unknown;
}

/** An object like a logger of pino's. */
export type LoggerLike = Readonly<Record<LogLevel, (fields: object, message: string) => void>>;

/** A function that is called with each line, or an object with a method for each level. */
export type LibraryLogger = ((line: LogLine) => void) | LoggerLike;
