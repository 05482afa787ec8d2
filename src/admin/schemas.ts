/** Shapes of what the control interface answers, by name; the types they describe are in control.ts and src/model. */
import { banCauses, banLimits } from '../model/ban.js';
import { listKeys } from '../model/config.js';
import { askedStates } from '../model/health-status.js';
import { kcpDrops, kcpWires } from '../model/kcp.js';
import { endpointStates, weightLimits } from '../model/overrides.js';
import { reasons, stages } from '../model/session.js';
import { errorStatus } from './answer.js';
import {
  choice,
  flag,
  integer,
  type JsonSchema,
  list,
  number,
  object,
  orNull,
  record,
  text,
} from './schema.js';

const PREFIX = '#/components/schemas/';

const time = (meaning: string): JsonSchema => text(`${meaning}; ISO 8601`);
const share = orNull(number('0 to 1; null: nothing was looked up yet'));
const bytes = object({ up: integer('From clients'), down: integer('To clients') });

const problem = object(
  {
    file: orNull(text()),
    line: orNull(integer()),
    column: orNull(integer()),
    path: text('Key path: `listeners[0].address`'),
    message: text('What is wrong, and what to write instead'),
  },
  { description: 'What is wrong with a configuration, and where.' },
);

const error = object({
  error: object(
    {
      code: choice(Object.keys(errorStatus), 'Stable name'),
      message: text('For people'),
      path: text('Key path or parameter'),
      problems: list(ref('Problem'), 'Every problem of a configuration'),
    },
    { optional: ['path', 'problems'] },
  ),
});

const listeners = list(
  object({ name: text(), address: text('As bound'), transport: text('`tcp`, `udp`, `tcp+udp` or `kcp`') }),
);
const healthStatus = choice(
  ['starting', 'ready', 'degraded', 'draining'],
  '`degraded`: some workers are being restarted, the others accept',
);
const workers = object({ wanted: integer(), accepting: integer() });

const health = object({
  status: choice(['starting', 'ready', 'degraded', 'draining', 'live']),
  workers,
  listeners,
});

const cluster = object(
  {
    node: text('Its id'),
    registered: flag('Its key is in etcd'),
    connected: flag("What is kept current of etcd's keys is so"),
    error: orNull(text('What fails now, and why')),
    outages: integer('Times that it began to fail'),
    revision: integer("The newest of etcd's store that was seen; 0: none"),
    nodes: list(text(), 'Ids of those that are registered; in an outage those that were last'),
    services: list(object({ name: text(), instances: integer() })),
    fragments: orNull(
      object(
        { accepted: integer(), refused: integer(), waiting: integer('Right, and can not be served for now') },
        { description: 'Fragments of the configuration in etcd; null: none are read' },
      ),
    ),
    leftOut: list(text(), 'Instances and fragments that can not be used, and why'),
  },
  { description: 'This node among others (`distributed`); null: it is alone.' },
);

const drain = object({
  sessions: integer('Still open'),
  delayMs: integer('In which it still accepts'),
  deadlineMs: integer('After that; then what is left is cut'),
});

const snapshot = {
  time: integer('When it was read, in milliseconds since the epoch'),
  generation: integer('Of the configuration in force'),
  workers,
  activeConnections: integer('Sessions open now'),
  acceptedConnections: integer('Since the start'),
  endedConnections: object(Object.fromEntries(reasons.map((reason) => [reason, integer()]))),
  bytes,
  connectionPool: object({
    active: integer('Carrying a session now'),
    idle: integer('Opened ahead'),
    hits: integer(),
    misses: integer(),
    wasted: integer('Opened ahead, and no session got them'),
    failures: integer('Attempts to connect that failed'),
  }),
  security: object({
    total: integer('Connections judged'),
    blocked: integer('Refused, for whatever reason'),
    rateLimited: integer('By a rate, of their source or in all'),
    whitelisted: integer('Let in without limits'),
    blacklisted: integer('Refused by `ip_blacklist`'),
    attacks: integer('Bans that the guard has made'),
    refused: object({
      overLimit: integer(),
      denied: integer(),
      rateLimited: integer(),
      banned: integer(),
    }),
    rejected: integer('By a route'),
    bansActive: integer(),
  }),
  memoryPool: object({
    tiers: list(
      object({
        name: text(),
        bytes: integer(),
        inUse: integer('Now'),
        free: integer('Kept for the next one'),
        highWater: integer('Most in use at once in one worker'),
        uses: integer(),
        misses: integer('Times none was free'),
        hitRate: orNull(number('0 to 1; null: none was used')),
      }),
    ),
  }),
  index: object({ configured: integer(), naming: integer(), routes: integer(), bytes: integer() }),
  kcp: object({
    links: integer('Links of reliable UDP now, of both ends'),
    segmentsSent: integer('Also those sent again'),
    segmentsReceived: integer(),
    retransmits: integer(),
    recovered: integer('Datagrams that parity has brought back'),
    resetsSent: integer('To clients of links that nobody knows here'),
    resetsReceived: integer('Of links of our own that their server does not know any more'),
    dropped: object(Object.fromEntries(kcpDrops.map((reason) => [reason, integer()])), {
      description: 'Datagrams of no use to a link, as `anyport_kcp_dropped_total`.',
    }),
  }),
  cacheHitRate: share,
  protocols: record(
    object({ active: integer(), identified: integer(), ended: integer(), bytes }),
    'By protocol id; those that nobody has spoken yet are absent',
  ),
};

const lastChange = object(
  {
    cause: choice(['signal', 'file', 'admin', 'library', 'docker', 'etcd'], 'Who asked for it'),
    at: time('When it ended'),
    result: choice(['applied', 'unchanged', 'refused']),
    problems: list(ref('Problem'), 'Why it was refused'),
  },
  { description: 'The outcome of the last change; null: none since the start.' },
);

const listFile = object({
  path: text(),
  entries: integer('In force'),
  readAt: time('When what is in force was read'),
  failures: integer('Times that it could not be read'),
  problem: orNull(text('Why it can not be read now, so that what it had last is in force')),
});

const networkList = object({
  list: choice(Object.values(listKeys), 'Its key'),
  listener: orNull(text('Null: for every listener')),
  entries: integer('As written, also those within others'),
  bytes: integer('Of memory'),
  files: list(listFile),
});

const NOBODY = 'null: the program that has started it, or the demonstration';

const from = orNull(
  text(
    `Where it is said: \`conf.d/web.yaml:12\`, \`docker: container web-1, label proxy.web.port\`, \`etcd: key /anyport/config/web:3\`, \`etcd: service web\`, \`file_sd: /run/web.json\`, \`--route SSH\`, \`the control interface\`; ${NOBODY}`,
  ),
);

const saidBy = object({
  source: orNull(text(`\`conf.d/web.yaml\`, \`docker: container web-1\`, …; ${NOBODY}`)),
  counts: object({ upstream: integer(), protocol: integer(), route: integer(), forward: integer() }),
  endpoints: integer('Those in force that it adds to what another source says'),
});

const status = object({
  version: text(),
  pid: integer(),
  startedAt: time('Start of the process'),
  uptimeSeconds: number(),
  status: healthStatus,
  listeners,
  config: object({
    name: text('The file, or where else it came from'),
    changedAt: time('When it came into force'),
  }),
  lastChange: orNull(lastChange),
  saidBy: list(saidBy, 'Who says how much of the configuration'),
  lists: list(networkList, 'Lists of networks that are not empty'),
  cluster: orNull(cluster),
  drain: orNull(drain),
  ...snapshot,
});

const diffItem = {
  kind: choice(['setting', 'listener', 'protocol', 'route', 'upstream', 'endpoint', 'profile', 'user']),
  name: text(),
  upstream: orNull(text("An endpoint's upstream")),
  change: choice(['added', 'removed', 'changed']),
  about: text('What it is, in one line'),
  fields: list(object({ key: text(), from: { description: 'Before' }, to: { description: 'After' } })),
};

const change = object(
  {
    result: choice(['applied', 'unchanged']),
    generation: integer('Of the configuration in force'),
    tookMs: number(),
    diff: list(ref('DiffItem')),
    persisted: flag('False: it lasts until the file is read again, or until a restart'),
  },
  { optional: ['generation', 'tookMs', 'diff'] },
);

const endpoint = object({
  name: text('As configured'),
  from,
  addresses: list(text(), 'Resolved; empty while the name does not resolve'),
  weight: { ...integer('In force'), minimum: weightLimits.min, maximum: weightLimits.max },
  configuredWeight: integer(),
  backup: flag('Used only when no other endpoint is usable'),
  state: choice(endpointStates, 'As it was set: new sessions go to what is `up`; those it has go on'),
  up: flag('All things considered: new sessions go there, or would if it were not drained'),
  why: orNull(text('Why it is not up')),
  health: object({
    check: orNull(text('Type of its active check')),
    since: orNull(text('When it went down or came up last, ISO 8601')),
    lastCheck: orNull(
      object({
        at: text('ISO 8601'),
        well: flag(),
        words: orNull(text('What was wrong, or worth a note')),
        tookMs: number(),
      }),
    ),
    ejectedUntil: orNull(text('Failed too often in sessions: gets new ones again then, ISO 8601')),
    asks: choice(askedStates, 'What its agent asks for'),
    sharePercent: integer('Percent of its weight that count now'),
  }),
  sessions: integer('Connected or connecting now'),
});

const upstream = object({
  name: text(),
  handler: orNull(text('In-process handler; null: relayed to the endpoints')),
  balance: text(),
  from,
  endpoints: list(ref('Endpoint')),
});

const session = object({
  id: text('`WORKER-SLOT-GENERATION`, as in the log'),
  worker: integer(),
  listener: text(),
  protocol: orNull(text('Id; null: not identified')),
  stage: choice(stages),
  source: text("The client's address"),
  transport: choice(
    ['tcp', 'udp', 'kcp'],
    '`udp`: a flow, the datagrams of one client. `kcp`: a stream of a link of reliable UDP',
  ),
  route: orNull(text('What decided: a route, `on_unknown` or `on_silence`; null: nothing yet')),
  upstream: orNull(text()),
  endpoint: orNull(text('Null: none yet, or an in-process handler')),
  bytesUp: integer(),
  bytesDown: integer(),
  startedAt: time('Accept'),
  durationMs: integer(),
  idleMs: orNull(integer('Since a byte was relayed; null before the relay')),
});

const sessionList = object({
  sessions: list(ref('Session'), 'In the order asked for'),
  matching: integer('All that match, those beyond the limit too'),
  missing: list(integer(), 'Workers that did not answer in time: their sessions are not in the list'),
});

const kcpLink = object(
  {
    id: text('`WORKER-NUMBER`'),
    worker: integer(),
    profile: text('Of `kcp`'),
    wire: choice(kcpWires),
    side: choice(['client', 'server'], 'Of this end'),
    listener: orNull(text('Null: a link of our own')),
    remote: text('Address of the other end, as it is now'),
    state: choice(['handshake', 'up', 'closing']),
    session: orNull(text('Id, the same at both ends; null: not agreed on yet, or wire `kcptun`')),
    startedAt: time('Begin'),
    ageMs: integer(),
    idleMs: integer('Since something of the other end was last taken'),
    streams: integer('Sessions that it carries now'),
    rttMs: orNull(number('Round trip, smoothed; null: not measured yet')),
    rttVarMs: orNull(number('Its variation')),
    lossRate: number('Share of what was lately sent that was lost, 0 to 1'),
    mtu: integer('Datagrams that it sends, in bytes of UDP payload'),
    sendWindow: integer('In segments, as all windows'),
    receiveWindow: integer(),
    window: integer('Segments that may be under way, all windows considered'),
    inFlight: integer('Segments that are under way'),
    segmentsSent: integer('Also those sent again'),
    segmentsReceived: integer(),
    retransmits: integer('Segments sent again'),
    recovered: integer('Datagrams that parity has brought back'),
    bytesSent: integer('Of streams'),
    bytesReceived: integer('Of streams'),
    datagramsSent: integer(),
    datagramsReceived: integer(),
    wireBytesSent: integer('Of UDP payload'),
    wireBytesReceived: integer('Of UDP payload'),
    keyChanges: integer(),
    moves: integer('Times that the other end has come from another address'),
  },
  { description: 'A link of reliable UDP (KCP).' },
);

const kcpLinkList = object({
  links: list(ref('KcpLink'), 'The newest first'),
  total: integer('All there are, those beyond the limit too'),
  missing: list(integer(), 'Workers that did not answer in time: their links are not in the list'),
});

const ban = object(
  {
    address: text('Of IPv6 the /64'),
    cause: choice(
      banCauses,
      'More attempts or failed identifications than the guard allows, an operator, or another node of the cluster',
    ),
    reason: orNull(text("The operator's")),
    since: time('Begin'),
    until: time('End'),
    leftSeconds: integer(),
  },
  { description: 'A source whose connections are refused.' },
);

const banList = object({ bans: list(ref('Ban'), 'The oldest first'), active: integer('All there are') });

const banRequest = object(
  {
    ip: text('An address; of IPv6 its /64 is banned'),
    for: text('A duration such as `90s`, `10m` or `24h`; default `10m`'),
    reason: { ...text('For whoever reads the list'), maxLength: banLimits.reasonCharactersMax },
  },
  { optional: ['for', 'reason'] },
);

const protocol = object({
  name: text('As configured'),
  id: text('In logs and metrics'),
  rank: integer('1 is asked first'),
  priority: orNull(integer('As configured')),
  builtIn: flag(),
  target: orNull(text('Upstream, or `close`, `reset`, `drop`; null: routed by `routes` alone')),
  signature: text('In words'),
  from,
});

const route = object({
  name: text('As in the log: `routes[2]`, `protocols.SSH` for the target of a protocol, `forwards[0]`'),
  target: orNull(text('Upstream, or `close`, `reset`, `drop`; null: where the client asks for')),
  from,
});

const protocolEntry: JsonSchema = {
  type: 'object',
  required: ['name'],
  properties: { name: text('A built-in in any letter case, or a new one') },
  additionalProperties: true,
  description: "An entry of the file's `protocols`: `{ name, target, handler, priority, start_bytes, … }`.",
};

const document: JsonSchema = {
  type: 'object',
  additionalProperties: true,
  description: "A configuration in the file's shape; `anyport schema` prints its JSON Schema.",
};

export const schemas = {
  Error: error,
  Problem: problem,
  Health: health,
  Status: status,
  Drain: drain,
  DiffItem: object(diffItem, { description: 'A difference between two configurations.' }),
  LiveDiffItem: object({
    ...diffItem,
    sessions: orNull(integer('Live sessions that it touches; null: not counted by this')),
  }),
  Change: change,
  Endpoint: endpoint,
  Upstream: upstream,
  Session: session,
  SessionList: sessionList,
  KcpLink: kcpLink,
  KcpLinkList: kcpLinkList,
  Ban: ban,
  BanList: banList,
  BanRequest: banRequest,
  Protocol: protocol,
  Route: route,
  ProtocolEntry: protocolEntry,
  Document: document,
} as const satisfies Record<string, JsonSchema>;

export type SchemaName = keyof typeof schemas;

/** A reference into the OpenAPI document. */
export function ref(name: SchemaName): JsonSchema {
  return { $ref: PREFIX + name };
}

/** The schema that is referred to, or the schema itself. */
export function resolved(schema: JsonSchema): JsonSchema {
  return schema.$ref === undefined ? schema : schemas[schema.$ref.slice(PREFIX.length) as SchemaName];
}
