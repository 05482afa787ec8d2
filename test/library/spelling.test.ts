/** The library's keys are the file's. */
import { expect, expectTypeOf, test } from 'vitest';
import type { z } from 'zod';
import type { forward } from '../../src/config/schema/forwards.js';
import { jsonSchema, type SectionName, type sections } from '../../src/config/schema/index.js';
import type { listener } from '../../src/config/schema/listeners.js';
import type { protocol } from '../../src/config/schema/protocols.js';
import type { route } from '../../src/config/schema/routes.js';
import type { upstream } from '../../src/config/schema/upstreams.js';
import type {
  AdminOptions,
  AnyportOptions,
  ConnectProxyOptions,
  DistributedOptions,
  ForwardOptions,
  HealthCheckCommon,
  ListenerOptions,
  LoggingOptions,
  MonitoringOptions,
  ProtocolDefinition,
  ProxyUserOptions,
  RouteConditions,
  RouteOptions,
  SecurityOptions,
  ServerOptions,
  UpstreamOptions,
} from '../../src/index.js';
import {
  durationKeys,
  longKeys,
  respelled,
  respelledPath,
  sectionKeys,
  toCamel,
  toSnake,
} from '../../src/library/spelling.js';

interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly pattern?: string;
}

/** Every key of the schema, with its node. */
function keysBelow(node: SchemaNode): [string, SchemaNode][] {
  const { properties = {}, items, anyOf = [], oneOf = [], additionalProperties } = node;
  const own = Object.entries(properties);
  const free = typeof additionalProperties === 'object' ? [additionalProperties] : [];
  const inner = [...own.map(([, each]) => each), ...(items ? [items] : []), ...anyOf, ...oneOf, ...free];
  return [...own, ...inner.flatMap(keysBelow)];
}

const schema = jsonSchema() as SchemaNode;
const all = keysBelow(schema);
const sorted = (keys: Iterable<string>) => [...new Set(keys)].toSorted();

test('every section of the file is one of the options', () => {
  expect(sorted(sectionKeys)).toEqual(
    sorted(Object.keys(schema.properties ?? {}).filter((key) => key !== 'server' && key !== 'include')),
  );
});

test('every key of several words is known to messages', () => {
  expect(sorted(longKeys)).toEqual(sorted(all.map(([key]) => key).filter((key) => key.includes('_'))));
});

test('a number is a duration where the schema has one, and nowhere else', () => {
  const isDuration = ({ pattern = '' }: SchemaNode) => pattern.includes('(ms|s|m|h)');
  const durations = all.filter(([, node]) => isDuration(node)).map(([key]) => key);
  expect(sorted(durationKeys)).toEqual(sorted(durations));
  const others = all.filter(([, node]) => !isDuration(node)).map(([key]) => key);
  expect(durationKeys.filter((key) => others.includes(key))).toEqual([]);
});

test.each(all.map(([key]) => key))('%s is the same there and back', (key) => {
  expect(toSnake(toCamel(key))).toBe(key);
});

const paths = [
  ['server.max_connections', 'maxConnections'],
  ['server.listen[1]', 'listen[1]'],
  ['protocols[2].start_bytes[0]', 'protocols[2].startBytes[0]'],
  ['protocols[2].validator', 'protocols[2].validate'],
  ['protocols[0].target.max_connections', 'protocols[0].target.maxConnections'],
  ['upstreams.my_web.health_check.max_fails', 'upstreams.my_web.healthCheck.maxFails'],
  ['connect_proxy', 'connectProxy'],
  ['', ''],
] as const;
test.each(paths)('%s → %s', (path, expected) => expect(respelledPath(path)).toBe(expected));

test('messages name keys as the caller writes them, and leave names alone', () => {
  expect(respelled('is not shorter than server.identify_timeout, which is 1 ms')).toBe(
    'is not shorter than identifyTimeout, which is 1 ms',
  );
  expect(respelled('unknown upstream `my_web`: did you mean `my_webs`?')).toContain('`my_webs`');
  expect(respelled('unknown key `max_conections`: did you mean `max_connections`?')).toBe(
    'unknown key `maxConections`: did you mean `maxConnections`?',
  );
  expect(respelled('give `start_bytes`, `regex`, `contains` or `validator`')).toBe(
    'give `startBytes`, `regex`, `contains` or `validate`',
  );
});

// ---- types: `npm run check` compares them

type Camel<Text> = Text extends `${infer First}_${infer Rest}` ? `${First}${Capitalize<Camel<Rest>>}` : Text;
type KeysOf<Schema extends z.ZodType> = Camel<keyof z.input<Schema>>;
type Section<Name extends SectionName> = (typeof sections)[Name];

/** Of files alone. */
type FileOnly = 'reloadOnChange' | 'user' | 'group' | 'include';

test('the options have the keys of the schema', () => {
  type Server = Exclude<KeysOf<Section<'server'>>, FileOnly>;
  expectTypeOf<keyof ServerOptions>().toEqualTypeOf<Server>();
  expectTypeOf<keyof AnyportOptions>().toEqualTypeOf<
    Server | Exclude<Camel<SectionName>, 'server' | FileOnly>
  >();
  expectTypeOf<keyof SecurityOptions>().toEqualTypeOf<KeysOf<Section<'security'>>>();
  expectTypeOf<keyof MonitoringOptions>().toEqualTypeOf<KeysOf<Section<'monitoring'>>>();
  expectTypeOf<keyof LoggingOptions>().toEqualTypeOf<Exclude<KeysOf<Section<'logging'>>, 'file'>>();
  expectTypeOf<keyof ConnectProxyOptions>().toEqualTypeOf<KeysOf<Section<'connect_proxy'>>>();
  expectTypeOf<keyof DistributedOptions>().toEqualTypeOf<KeysOf<Section<'distributed'>>>();
  expectTypeOf<keyof AdminOptions>().toEqualTypeOf<KeysOf<Section<'admin'>>>();
  expectTypeOf<keyof ListenerOptions>().toEqualTypeOf<KeysOf<typeof listener>>();
  expectTypeOf<keyof ForwardOptions>().toEqualTypeOf<KeysOf<typeof forward>>();
  expectTypeOf<keyof RouteOptions>().toEqualTypeOf<KeysOf<typeof route>>();
  expectTypeOf<keyof RouteConditions>().toEqualTypeOf<
    Camel<keyof NonNullable<z.input<typeof route>['when']>>
  >();
  expectTypeOf<keyof UpstreamOptions>().toEqualTypeOf<KeysOf<typeof upstream>>();
  type Protocol = Exclude<KeysOf<typeof protocol>, 'validator'> | 'validate';
  expectTypeOf<keyof ProtocolDefinition>().toEqualTypeOf<Protocol>();
});

test('and within upstreams, security and listeners', () => {
  type Upstream = z.input<typeof upstream>;
  type Of<Value> = Camel<keyof NonNullable<Value>>;
  expectTypeOf<keyof NonNullable<UpstreamOptions['tcp']>>().toEqualTypeOf<Of<Upstream['tcp']>>();
  expectTypeOf<keyof NonNullable<UpstreamOptions['udp']>>().toEqualTypeOf<Of<Upstream['udp']>>();
  expectTypeOf<keyof NonNullable<ServerOptions['udp']>>().toEqualTypeOf<
    Of<z.input<Section<'server'>>['udp']>
  >();
  expectTypeOf<keyof NonNullable<UpstreamOptions['dns']>>().toEqualTypeOf<Of<Upstream['dns']>>();
  expectTypeOf<keyof NonNullable<UpstreamOptions['pool']>>().toEqualTypeOf<Of<Upstream['pool']>>();
  expectTypeOf<keyof NonNullable<UpstreamOptions['bandwidth']>>().toEqualTypeOf<Of<Upstream['bandwidth']>>();
  expectTypeOf<keyof HealthCheckCommon>().toEqualTypeOf<Of<Upstream['health_check']>>();
  expectTypeOf<keyof NonNullable<UpstreamOptions['passiveHealth']>>().toEqualTypeOf<
    Of<Upstream['passive_health']>
  >();
  expectTypeOf<NonNullable<UpstreamOptions['balance']>>().toEqualTypeOf<NonNullable<Upstream['balance']>>();
  type Header = NonNullable<UpstreamOptions['proxyProtocol']>;
  type WrittenHeader = NonNullable<Upstream['proxy_protocol']>;
  expectTypeOf<Extract<Header, string>>().toEqualTypeOf<Extract<WrittenHeader, string>>();
  expectTypeOf<keyof Exclude<Header, string>>().toEqualTypeOf<Of<Exclude<WrittenHeader, string>>>();
  type Security = z.input<Section<'security'>>;
  expectTypeOf<keyof NonNullable<SecurityOptions['ddosGuard']>>().toEqualTypeOf<Of<Security['ddos_guard']>>();
  expectTypeOf<keyof NonNullable<SecurityOptions['rateLimit']>>().toEqualTypeOf<Of<Security['rate_limit']>>();
  type Proxy = z.input<Section<'connect_proxy'>>;
  type ProxyUser = Exclude<NonNullable<Proxy['users']>[string], string>;
  expectTypeOf<keyof ProxyUserOptions>().toEqualTypeOf<Of<ProxyUser>>();
  expectTypeOf<keyof NonNullable<ConnectProxyOptions['userLimits']>>().toEqualTypeOf<
    Of<Proxy['user_limits']>
  >();
  type Listener = z.input<typeof listener>;
  expectTypeOf<keyof NonNullable<ListenerOptions['onSilence']>>().toEqualTypeOf<Of<Listener['on_silence']>>();
  expectTypeOf<keyof NonNullable<ListenerOptions['proxyProtocol']>>().toEqualTypeOf<
    Of<Listener['proxy_protocol']>
  >();
});
