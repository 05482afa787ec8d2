/** docs/protocols.md matches the table, and the table lists exactly the facts that parsers return. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { Protocol, Transport } from '../../src/model/protocol.js';
import { compileSignature } from '../../src/protocols/dfa/signature.js';
import { protocolDocs } from '../../src/protocols/docs.js';
import { identifyBytes } from '../../src/protocols/identify.js';
import { protocols } from '../../src/protocols/index.js';
import { flights } from '../cases/flights.js';
import { cases, datagrams } from '../cases/index.js';

test('docs/protocols.md is what the table says (npm run build:ts && node scripts/docs.mjs)', () =>
  expect(readFileSync('docs/protocols.md', 'utf8')).toBe(protocolDocs()));

test('at least 40 protocols', () => expect(protocols.length).toBeGreaterThanOrEqual(40));

/** All fact names returned for recorded openings and cases. */
function factsRead(): Map<string, Set<string>> {
  const read = new Map<string, Set<string>>();
  const note = (segments: readonly Uint8Array[], transport: Transport) => {
    const { protocol, facts } = identifyBytes(segments, transport);
    if (protocol === null) return;
    read.set(protocol, new Set([...(read.get(protocol) ?? []), ...Object.keys(facts)]));
  };
  for (const { segments, transport } of flights) note(segments, transport);
  for (const { bytes } of Object.values(cases).flat()) note([bytes], 'tcp');
  for (const { bytes } of Object.values(datagrams).flat()) note([bytes], 'udp');
  return read;
}

describe('facts', () => {
  const read = factsRead();
  test.each(protocols)('$id: those that are read are named', ({ id, factNames = [] }: Protocol) =>
    expect(factNames).toEqual(expect.arrayContaining([...(read.get(id) ?? [])])),
  );
});

describe('patterns', () => {
  const documented = readFileSync('docs/protocols.md', 'utf8').split('## Patterns')[1] ?? '';
  /** One example per row of the table of refused constructs. */
  const refused = [
    '\\1',
    '\\k<name>',
    '(?=a)',
    '(?!a)',
    '(?<=a)',
    '(?<!a)',
    '\\b',
    '\\B',
    '$',
    '\\u0100',
    '(?i:a)',
    '\\p',
    '\\A',
    '\\x{41}',
    '[[:alpha:]]',
  ];

  test.each(refused)('%s is documented as refused, and refused', (construct) => {
    expect(documented).toContain(`\`${construct}\``);
    expect(compileSignature({ patterns: [`^(?<name>a)${construct}`] })).toMatchObject({ ok: false });
  });

  const accepted = [
    '\\x41',
    '\\u0041',
    '[^]',
    '[a-z\\x80-\\xff]',
    '[^\\r\\n]',
    '(?<name>a)',
    'a{3,5}',
    'a{3,}',
  ];
  test.each(accepted)('%s is documented as accepted, and accepted', (construct) => {
    expect(documented).toContain(`\`${construct}\``);
    expect(compileSignature({ patterns: [`^x${construct}`] })).toMatchObject({ ok: true });
  });
});
