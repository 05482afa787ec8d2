// What a user of the library may write, compiled against the packed package alone: strictly, with its declarations.
import type { Duplex } from 'node:stream';
import {
  type Anyport,
  AnyportError,
  type AnyportOptions,
  type BuiltInId,
  createAnyport,
  type Diff,
  type EndedSession,
  type Handler,
  type Identification,
  identify,
  type Listening,
  type ProtocolDefinition,
  protocols,
  protocolTable,
  type Reason,
  type Snapshot,
} from 'anyport';

const handler: Handler = (socket: Duplex, session) => {
  const facts: string | undefined = session.facts.sni;
  socket.end(`${session.protocol ?? 'unknown'} ${facts ?? ''}`);
};

const config: AnyportOptions = {
  maxConnections: 20_000,
  identifyTimeout: '5s',
  idleTimeout: 60_000,
  bufferSize: '64KiB',
  upstreams: { web: { endpoints: ['a:80', { address: 'b:80', weight: 2 }], balance: 'random_two' } },
  routes: [{ when: { protocol: 'tls', sni: ['a.example', 'b.example'] }, to: 'web' }],
  listeners: [{ name: 'front', address: ':443', onSilence: { after: '300ms', to: 'web' } }],
  monitoring: { metricsPort: 9091 },
};

export async function main(): Promise<void> {
  const plex: Anyport = createAnyport({ ...config, workers: 0, logger: ({ level, msg }) => [level, msg] });
  plex.addProtocol(protocols.http({ target: '192.168.1.5:80', priority: 1 }));
  plex.addProtocol(protocols.redis({ handler: (socket) => socket.end('+PONG\r\n') }));
  plex.addProtocol({
    name: 'Custom',
    startBytes: ['aa55'],
    validate: (bytes) => (bytes[2] === 1 ? 'match' : 'no'),
    target: 'h:9',
  });
  plex.addProtocol({ name: 'Other', regex: /^a/, contains: Uint8Array.of(1), handler });
  const listening: readonly Listening[] = await plex.listen(':9090');
  const port: number | null | undefined = listening[0]?.port;
  plex.updateProtocol('HTTP', { target: '192.168.1.6:80', priority: undefined });
  plex.removeProtocol('Redis');
  const snapshot: Snapshot = plex.metrics();
  const [active, ended]: [number, number] = [
    snapshot.activeConnections,
    snapshot.endedConnections['idle_timeout' satisfies Reason],
  ];
  plex.on('configChange', (next: AnyportOptions, diff: Diff) => [next.maxConnections, diff[0]?.kind]);
  plex.on('session', (session: EndedSession) => session.time.getTime());
  plex.once('endpoint', ({ state }) => state === 'down');
  plex.on('error', (error) => error.problems[0]?.path);
  await plex.updateConfig({ ...plex.config, ...config });
  const all: boolean = await plex.close({ drain: '60s' });
  await using other = createAnyport();
  console.log(port, active, ended, all, other.address?.address);
}

export function protocolOf(bytes: Uint8Array): BuiltInId | null {
  const { protocol, verdict }: Identification = identify([bytes], { transport: 'tcp' });
  const known = protocolTable.find(({ id }) => id === protocol);
  return verdict === 'match' && known ? known.id : null;
}

export const problemsOf = (error: unknown): string[] =>
  error instanceof AnyportError && error.code === 'invalid_config'
    ? error.problems.map(({ path, message }) => `${path}: ${message}`)
    : [];

export const mistakes = (): unknown[] => [
  // @ts-expect-error: no such option
  createAnyport({ maxConections: 5 }),
  // @ts-expect-error: the spelling of files
  createAnyport({ max_connections: 5 }),
  // @ts-expect-error: no such event
  createAnyport().on('reload', () => {}),
  // @ts-expect-error: no such built-in
  protocols.htpp(),
  // @ts-expect-error: not an answer
  { name: 'x', validate: () => 'yes' } satisfies ProtocolDefinition,
  // @ts-expect-error: a name is not changed
  createAnyport().updateProtocol('x', { name: 'y' }),
  // @ts-expect-error: a strategy that there is not
  createAnyport({ upstreams: { web: { balance: 'fastest' } } }),
];
