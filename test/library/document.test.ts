/** Options and documents, there and back. */
import { describe, expect, test } from 'vitest';
import type { AnyportOptions, ProtocolDefinition } from '../../src/index.js';
import { documentOf, optionsOf, protocolChanges } from '../../src/library/document.js';
import {
  addListen,
  addProtocol,
  removeProtocol,
  replaceKeepingListen,
  updateProtocol,
  withListen,
} from '../../src/library/edits.js';
import { AnyportError } from '../../src/library/error.js';
import { Locals } from '../../src/library/locals.js';

const handler = () => {};
const validate = () => 'match' as const;

const full = {
  maxConnections: 5,
  identifyTimeout: 5000,
  workers: 2,
  protocols: [
    {
      name: 'Mine',
      startBytes: Uint8Array.of(0xaa, 0x55),
      contains: ['00'],
      regex: /^\xAA/,
      priority: 1,
      target: ['a:1', { address: 'b:1', weight: 2 }],
    },
    {
      name: 'http',
      target: { endpoints: ['c:1'], healthCheck: { interval: 250 }, tcp: { userTimeout: 10 } },
    },
  ],
  upstreams: { my_web: { endpoints: ['d:1'], passiveHealth: { maxFails: 1, window: '5s' } } },
  routes: [{ when: { sni: '*.example.com' }, to: 'my_web' }],
} satisfies AnyportOptions;

const problems = (make: () => unknown) => {
  try {
    make();
  } catch (error) {
    if (error instanceof AnyportError) return error.problems;
    throw error;
  }
  return [];
};

describe('documentOf', () => {
  test('spells keys as the file, and values as its schema wants them', () => {
    expect(documentOf(full, null)).toEqual({
      server: { max_connections: 5, identify_timeout: '5s', workers: 2 },
      protocols: [
        {
          name: 'Mine',
          start_bytes: ['aa55'],
          contains: ['00'],
          regex: ['^\\xAA'],
          priority: 1,
          target: ['a:1', { address: 'b:1', weight: 2 }],
        },
        {
          name: 'http',
          target: { endpoints: ['c:1'], health_check: { interval: '250ms' }, tcp: { user_timeout: 10 } },
        },
      ],
      upstreams: { my_web: { endpoints: ['d:1'], passive_health: { max_fails: 1, window: '5s' } } },
      routes: [{ when: { sni: '*.example.com' }, to: 'my_web' }],
    });
  });

  test('what is undefined is not there', () => {
    const options = { maxConnections: undefined, protocols: [{ name: 'http', handler: undefined }] };
    expect(documentOf(options as unknown as AnyportOptions, null)).toEqual({
      server: {},
      protocols: [{ name: 'http' }],
    });
  });

  test('on the calling thread there is one worker, and functions have names', () => {
    const locals = new Locals();
    const protocols: ProtocolDefinition[] = [
      { name: 'A', handler, validate },
      { name: 'B', handler },
    ];
    const upstreams = { handler: { handler } };
    expect(documentOf({ workers: 0, protocols, upstreams }, locals)).toEqual({
      server: { workers: 1 },
      protocols: [
        { name: 'A', handler: 'local:1', validator: 'local:2' },
        { name: 'B', handler: 'local:1' },
      ],
      upstreams: { handler: { handler: 'local:1' } },
    });
  });

  const wrong: { why: string; options: object; path: string; says: string }[] = [
    {
      why: 'the spelling of files',
      options: { max_connections: 1 },
      path: 'maxConnections',
      says: 'did you mean `maxConnections`',
    },
    {
      why: 'a function and threads',
      options: { protocols: [{ name: 'http', handler }] },
      path: 'protocols[0].handler',
      says: 'let `workers` be 0',
    },
    {
      why: 'a function in an upstream and threads',
      options: { upstreams: { web: { handler } } },
      path: 'upstreams.web.handler',
      says: 'let `workers` be 0',
    },
    {
      why: 'a validator and threads',
      options: { protocols: [{ name: 'x', validate }] },
      path: 'protocols[0].validate',
      says: 'path of a module',
    },
    {
      why: 'a function elsewhere',
      options: { maxConnections: () => 5 },
      path: 'maxConnections',
      says: 'can not be a function',
    },
    {
      why: 'flags',
      options: { protocols: [{ name: 'x', regex: /^a/i }] },
      path: 'protocols[0].regex',
      says: 'flag `i`',
    },
  ];
  test.each(wrong)('$why: refused with its place', ({ options, path, says }) => {
    expect(problems(() => documentOf(options, null))).toEqual([
      { path, message: expect.stringContaining(says) },
    ]);
  });

  test('every problem is there at once', () => {
    const options = {
      protocols: [
        { name: 'a', handler },
        { name: 'b', regex: /^b/u },
      ],
      idle_timeout: 1,
    };
    expect(problems(() => documentOf(options as AnyportOptions, null))).toHaveLength(3);
  });

  test('an object that contains itself is refused', () => {
    const upstreams: Record<string, unknown> = {};
    upstreams.web = { tcp: upstreams };
    expect(problems(() => documentOf({ upstreams } as AnyportOptions, null))).toEqual([
      { path: expect.any(String), message: 'is nested too deep' },
    ]);
  });
});

test('optionsOf is the way back', () => {
  const locals = new Locals();
  const protocols: ProtocolDefinition[] = [{ name: 'A', handler, validate }];
  const options: AnyportOptions = {
    workers: 0,
    idleTimeout: '5s',
    protocols,
    upstreams: { my_web: { handler } },
  };
  expect(optionsOf(documentOf(options, locals), locals)).toEqual(options);
});

test('an endpoint that looks like the name of a function is an endpoint', () => {
  const locals = new Locals();
  locals.nameOf(handler);
  const options: AnyportOptions = { workers: 0, protocols: [{ name: 'http', target: 'local:1' }] };
  expect(optionsOf(documentOf(options, locals), locals)).toEqual(options);
});

test('functions are forgotten when no document names them', () => {
  const locals = new Locals();
  const document = documentOf({ protocols: [{ name: 'A', handler }] }, locals);
  locals.nameOf(validate);
  locals.keepOnly(document);
  expect([...locals.table.values()]).toEqual([handler]);
  expect(locals.nameOf(handler)).toBe('local:1');
  expect(locals.nameOf(validate)).toBe('local:3');
});

describe('edits', () => {
  const document = { server: { listen: ':1' }, protocols: [{ name: 'HTTP', handler: 'h.js', priority: 2 }] };

  test('a protocol comes last, and is found in any letter case', () => {
    expect(addProtocol({ name: 'ssh' })(document)).toMatchObject({
      protocols: [{ name: 'HTTP' }, { name: 'ssh' }],
    });
    expect(removeProtocol('http')(document)).toMatchObject({ protocols: [] });
    expect(removeProtocol('htpp')(document)).toBe('no protocol `htpp` is configured');
    expect(updateProtocol('htpp', {})(document)).toBe('no protocol `htpp` is configured');
  });

  test('a target replaces a handler, and undefined takes away', () => {
    const changes = protocolChanges('http', { target: 'a:1', priority: undefined }, null);
    expect(updateProtocol('http', changes)(document)).toMatchObject({
      protocols: [{ name: 'HTTP', target: 'a:1' }],
    });
    const [changed] = (updateProtocol('http', changes)(document) as unknown as typeof document).protocols;
    expect(Object.keys(changed ?? {})).toEqual(['name', 'target']);
  });

  test('addresses are those of the call, else of the options, else the default', () => {
    expect(withListen(document, [':2'])).toMatchObject({ server: { listen: [':2'] } });
    expect(withListen(document, [])).toBe(document);
    expect(withListen({}, [])).toEqual({ server: { listen: ':9090' } });
    expect(withListen({ listeners: [] }, [])).toEqual({ listeners: [] });
    expect(addListen([':2', ':3'])(document)).toMatchObject({ server: { listen: [':1', ':2', ':3'] } });
  });

  test('another configuration keeps the addresses where it names none', () => {
    const listeners = [{ name: 'a', address: ':5' }];
    const before = { ...document, listeners };
    expect(replaceKeepingListen({ server: { workers: 1 } })(before)).toEqual({
      server: { workers: 1, listen: ':1' },
      listeners,
    });
    const next = { server: { listen: ':2' } };
    expect(replaceKeepingListen(next)(before)).toBe(next);
  });
});
