/** Names from elsewhere: what somebody writes who knows HAProxy, nginx, sslh, or only the protocols. */
import { describe, expect, test } from 'vitest';
import { jsonSchema } from '../../src/config/schema/index.js';
import { otherNames, suggest } from '../../src/config/suggest.js';
import { closings } from '../../src/model/session.js';
import { protocols } from '../../src/protocols/index.js';
import { problemsOf } from './support.js';

/** Every key and every value of a choice that the schema knows. */
function vocabulary(node: unknown): string[] {
  if (typeof node !== 'object' || node === null) return [];
  const { properties = {}, enum: values = [] } = node as { properties?: object; enum?: string[] };
  return [...Object.keys(properties), ...values, ...Object.values(node).flatMap(vocabulary)];
}

test('whatever is suggested exists', () => {
  const known = new Set([...vocabulary(jsonSchema()), ...protocols.map(({ id }) => id), ...closings]);
  expect(
    Object.values(otherNames)
      .flat()
      .filter((name) => !known.has(name)),
  ).toEqual([]);
});

test('a name that only every object has is no other name', () => {
  expect(suggest('constructor', ['a'])).toBe(' (known: a)');
  expect(suggest('toString', ['a'])).toBe(' (known: a)');
});

const up = 'upstreams: { web: { endpoints: ["a:1"] } }';

describe('the field’s other names', () => {
  const cases = [
    { text: 'protocols: [{ name: HTTPS, target: "a:443" }]', meant: 'tls' },
    { text: 'protocols: [{ name: ssl, target: "a:443" }]', meant: 'tls' },
    { text: `${up}\nroutes: [{ when: { protocol: https }, to: web }]`, meant: 'tls' },
    { text: `${up}\nlisteners: [{ name: a, address: ":1", protocols: [postgresql] }]`, meant: 'postgres' },
    { text: 'backends: {}', meant: 'upstreams' },
    { text: 'backend: {}', meant: 'upstreams' },
    { text: 'frontends: []', meant: 'listeners' },
    { text: 'rules: []', meant: 'routes' },
    { text: 'log: {}', meant: 'logging' },
    { text: 'server: { max_conn: 5 }', meant: 'max_connections' },
    { text: 'server: { maxconn: 5 }', meant: 'max_connections' },
    { text: 'server: { max-conn: 5 }', meant: 'max_connections' },
    { text: 'server: { bind: ":1" }', meant: 'listen' },
    { text: 'server: { threads: 2 }', meant: 'workers' },
    { text: 'server: { drain_timeout: 1s }', meant: 'graceful_shutdown_timeout' },
    { text: 'upstreams: { web: { server: "a:1" } }', meant: 'endpoints' },
    { text: 'upstreams: { web: { servers: ["a:1"] } }', meant: 'endpoints' },
    { text: 'upstreams: { web: { backends: ["a:1"] } }', meant: 'endpoints' },
    { text: 'upstreams: { web: { endpoints: ["a:1"], balance: leastconn } }', meant: 'least_connections' },
    { text: 'upstreams: { web: { endpoints: ["a:1"], algorithm: x } }', meant: 'balance' },
    { text: 'protocols: [{ name: HTTP, backend: "a:1" }]', meant: 'target' },
    { text: `${up}\nroutes: [{ when: { protocol: tls }, backend: web, to: web }]`, meant: 'to' },
    { text: `${up}\nroutes: [{ match: { protocol: tls }, to: web }]`, meant: 'when' },
    { text: `${up}\nroutes: [{ when: { server_name: a.org }, to: web }]`, meant: 'sni' },
    { text: `${up}\nroutes: [{ when: { protocol: tls }, to: reject }]`, meant: 'reset' },
    { text: 'listeners: [{ name: a, bind: ":1", address: ":1" }]', meant: 'address' },
    { text: 'listeners: [{ name: a, address: ":1", fallback: close }]', meant: 'on_unknown' },
  ];
  test.each(cases)('$text: did you mean $meant?', ({ text, meant }) => {
    expect(problemsOf(text)[0]).toContain(`did you mean \`${meant}\`?`);
  });
});

describe('a port that is missing', () => {
  const cases = [
    {
      text: 'protocols: [{ name: HTTP, target: 10.0.0.5 }]',
      says: '`10.0.0.5` is an address without a port: write `10.0.0.5:PORT`',
    },
    {
      text: 'protocols: [{ name: HTTP, target: localhost }]',
      says: '`localhost` is an address without a port',
    },
    {
      text: 'protocols: [{ name: HTTP, target: web.example.org }]',
      says: '`web.example.org` is an address without a port',
    },
    { text: 'protocols: [{ name: HTTP, target: web }]', says: 'unknown upstream `web`' },
    { text: 'protocols: [{ name: HTTP, target: web }]', says: 'an address has a port, as `web:80`' },
    { text: 'protocols: [{ name: HTTP, target: "a:1,web" }]', says: 'the port is missing: write `web:PORT`' },
    { text: 'protocols: [{ name: HTTP, target: "::1" }]', says: 'the port is missing: write `[::1]:PORT`' },
    { text: 'protocols: [{ name: HTTP, target: "http://web:80" }]', says: 'leave out `http://`' },
    { text: 'protocols: [{ name: HTTP, target: "web:70000" }]', says: 'ports are 1 to 65535' },
    {
      text: 'upstreams: { web: { endpoints: ["10.0.0.5"] } }',
      says: 'the port is missing: write `10.0.0.5:PORT`',
    },
    {
      text: 'upstreams: { web: { endpoints: [{ address: web }] } }',
      says: 'the port is missing: write `web:PORT`',
    },
    { text: 'upstreams: { web: { endpoints: ["[::1]"] } }', says: 'the port is missing: write `[::1]:PORT`' },
    { text: 'server: { listen: 127.0.0.1 }', says: 'the port is missing: write `127.0.0.1:PORT`' },
    {
      text: 'routes: [{ to: 10.0.0.5 }]',
      says: 'unknown upstream `10.0.0.5`: name an upstream, and write the address there',
    },
  ];
  test.each(cases)('$text: $says', ({ text, says }) => expect(problemsOf(text).join('\n')).toContain(says));
});

describe('what is written with another shape, and how it is meant', () => {
  const cases = [
    {
      text: 'routes: [{ when: { protocol: [tls, htpp] }, to: reset }]',
      says: 'routes[0].when.protocol[1]: unknown protocol `htpp`: did you mean `http`?',
    },
    {
      text: 'routes: [{ when: { host: [a.b, "c:1"] }, to: reset }]',
      says: 'routes[0].when.host[1]: expected a host name, or `*.` and a host name, got "c:1"',
    },
    {
      text: 'routes: [{ when: { sni: [] }, to: reset }]',
      says: 'routes[0].when.sni: an empty list holds for no session',
    },
    {
      text: 'routes: [{ when: { protocol: [http, ssh], host: a.b }, to: reset }]',
      says: 'routes[0].when.host: no session of `ssh` has it, so the route never holds for it',
    },
    {
      text: 'routes: [{ when: { time: { days: montag } }, to: reset }]',
      says: 'routes[0].when.time.days: expected a day such as `mon`, a range such as `mon-fri`, or a list of them, got "montag"',
    },
    {
      text: 'routes: [{ when: { time: [{ zone: berlin }] }, to: reset }]',
      says: 'routes[0].when.time[0].zone: unknown time zone "berlin": did you mean `Europe/Berlin`?',
    },
    {
      text: 'routes: [{ when: { time: { from: 8, until: "18:00" } }, to: reset }]',
      says: 'routes[0].when.time.from: expected a time of day such as `"08:00"`, from 00:00 to 23:59, got 8',
    },
    {
      text: 'routes: [{ when: { time: { until: "18:00" } }, to: reset }]',
      says: 'routes[0].when.time.until: unknown key `until`',
    },
    {
      text: 'routes: [{ when: { time: { to: "00:00" } }, to: reset }]',
      says: 'routes[0].when.time.to: is the same as `from`: leave both out for the whole day',
    },
    {
      text: 'routes: [{ when: { method: get }, to: reset }]',
      says: 'routes[0].when.method: expected a method in capitals such as `GET`, got "get"',
    },
    {
      text: 'routes: [{ when: { user: 7 }, to: reset }]',
      says: 'routes[0].when.user: expected a user name, of at most 512 bytes (in quotes if it is a number), got 7',
    },
    {
      text: 'routes: [{ when: { not: {} }, to: reset }]',
      says: 'routes[0].when.not: an empty set excludes every session: name a condition, or leave `not` out',
    },
    {
      text: 'routes: [{ when: { not: tls }, to: reset }]',
      says: 'routes[0].when.not: expected conditions such as `{ source: "10.0.0.0/8" }`, or a list of such sets, got "tls"',
    },
    {
      text: 'routes: [{ when: { not: [{ sni: a }, { sni: "a b" }] }, to: reset }]',
      says: 'routes[0].when.not[1].sni: expected a host name, or `*.` and a host name, got "a b"',
    },
    {
      text: 'routes: [{ when: { not: { not: { sni: a } } }, to: reset }]',
      says: 'routes[0].when.not.not: unknown key `not`',
    },
    {
      text: 'routes: [{ when: { not: [{ protocol: tsl }] }, to: reset }]',
      says: 'routes[0].when.not[0].protocol: unknown protocol `tsl`: did you mean `tls`?',
    },
    {
      text: 'routes: [{ when: { not: { protocol: ssh, sni: a } }, to: reset }]',
      says: 'routes[0].when.not.sni: no session of `ssh` has it, so it excludes nothing',
    },
    {
      text: 'routes: [{ when: { path: 5 }, to: reset }]',
      says: 'expected a path such as `/login`',
    },
    { text: 'routes: [{ when: tls, to: reset }]', says: 'such as `{ protocol: tls, sni: "*.example.com" }`' },
    { text: 'routes: [{ when: { sni: "*" }, to: reset }]', says: 'got "*"' },
    {
      text: 'listeners: [{ name: a, address: ":1", proxy_protocol: true }]',
      says: 'such as `{ accept: true, trusted: ["10.0.0.0/8"] }`, got true',
    },
    {
      text: 'listeners: [{ name: a, address: ":1", on_silence: mail }]',
      says: 'such as `{ to: mail }`, got "mail"',
    },
    { text: 'listeners: [{ name: a, address: ":1", protocols: [[ssh]] }]', says: 'the name of a protocol' },
    { text: 'upstreams: { web: "a:80" }', says: 'such as `{ endpoints: ["10.0.0.5:80"] }`, got "a:80"' },
    { text: 'protocols: [http]', says: 'such as `{ name: SSH, target: "10.0.0.5:22" }`, got "http"' },
    { text: 'protocols: [{ name: ssh, target: "22" }]', says: 'a port without a host: write `127.0.0.1:22`' },
    { text: 'listen: 443', says: '1:1: listen: unknown key `listen`: did you mean `server.listen`?' },
    {
      text: 'server: { ip_blacklist: [192.0.2.1] }',
      says: 'did you mean `security.ip_blacklist`?',
    },
    { text: 'metrics_port: 1', says: 'did you mean `monitoring.metrics_port`?' },
    { text: 'listeners: [{ name: a, listen: ":1" }]', says: 'unknown key `listen`: did you mean `address`?' },
    { text: 'server: { listen: "*:443" }', says: 'leave out `*`: write `:443`' },
    { text: 'server: { listen: "443-440" }', says: 'ports are 1 to 65535, the lower one first' },
    { text: 'server: { listen: "[::1]:443-440" }', says: 'ports are 1 to 65535, the lower one first' },
    { text: 'server: { listen: 70000 }', says: 'got 70000: ports are 1 to 65535' },
    { text: 'server: { listen: ":80,:443" }', says: 'write several as a list' },
    { text: 'server: { listen: /run/a.sock }', says: 'write `unix:/run/a.sock`' },
    {
      text: 'protocols: [{ name: Mine, target: "a:1", start_bytes: [aabb], max_bytes: 1 }]',
      says: 'it needs 2 bytes, and max_bytes is 1',
    },
  ];
  test.each(cases)('$text: $says', ({ text, says }) => expect(problemsOf(text).join('\n')).toContain(says));

  test('a set of unknown keys under `not` is not called empty', () =>
    expect(problemsOf('routes: [{ when: { not: { snii: a } }, to: reset }]')).toEqual([
      expect.stringContaining('routes[0].when.not.snii: unknown key `snii`: did you mean `sni`?'),
    ]));
});
