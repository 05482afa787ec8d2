import { describe, expect, test } from 'vitest';
import { nearestName, suggestion } from '../../src/base/nearest.js';

const keys = ['max_connections', 'max_connections_per_ip', 'listen', 'workers', 'accept'];

describe('nearestName', () => {
  test.each([
    { why: 'a letter is missing', name: 'max_conections', is: 'max_connections' },
    { why: 'two letters changed places', name: 'wrokers', is: 'workers' },
    { why: 'another case', name: 'LISTEN', is: 'listen' },
    { why: 'camel case', name: 'maxConnections', is: 'max_connections' },
    {
      why: 'of equally near ones the same beginning',
      name: 'HTP',
      known: ['ntp', 'http', 'hap'],
      is: 'http',
    },
    { why: 'nothing is near', name: 'tls', is: null },
    { why: 'short names must be nearly right', name: 'web', known: ['e', 'wax'], is: null },
  ])('$name: $why', ({ name, is, known = keys }) => expect(nearestName(name, known)).toBe(is));
});

test('what there is to choose from is listed, unless it is long', () => {
  expect(suggestion('tls', ['ssh', 'http', 'ssh'])).toBe(' (known: ssh, http)');
  expect(
    suggestion(
      'tls',
      Array.from({ length: 17 }, (_, index) => `name-${index}`),
    ),
  ).toBe('');
  expect(suggestion('shs', ['ssh', 'http'])).toBe(': did you mean `ssh`?');
});
