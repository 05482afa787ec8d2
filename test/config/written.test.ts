/** Files that the daemon writes: where it can not, that is found with the configuration, not by the first write. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { writeFault } from '../../src/config/file-kind.js';
import { tempFolder } from '../support/temp.js';
import { warningLinesOf } from './support.js';

const FAULT = 'there is no such folder (ENOENT)';
const http = 'protocols: [{ name: HTTP, target: "a:80" }]\n';

test.each([
  {
    what: 'the log',
    path: '/var/log/none/a.log',
    text: 'logging:\n  file: /var/log/none/a.log\n',
    says: `logging.file: /var/log/none/a.log: ${FAULT}: a start, or a reload to this file, is refused unless it can be opened then`,
    place: '3:3',
  },
  {
    what: 'exported bans',
    path: '/run/none/bans',
    text: 'security:\n  ban_export: /run/none/bans\n',
    says: `security.ban_export: /run/none/bans: ${FAULT}: until it can be written, bans are not exported`,
    place: '3:3',
  },
  {
    what: 'what containers said last',
    path: '/var/lib/none/docker.json',
    text: 'docker:\n  state_file: /var/lib/none/docker.json\nlisteners: [{ name: a, address: ":9090" }]\n',
    says: `docker.state_file: /var/lib/none/docker.json: ${FAULT}: until it can be written, a start without the engine has no containers`,
    place: '3:3',
  },
  {
    what: 'the socket of a listener',
    path: '/run/none/a.sock',
    text: 'listeners:\n  - { name: a, address: "unix:/run/none/a.sock" }\n',
    says: `listeners[0]: can not listen on \`unix:/run/none/a.sock\`: ${FAULT}`,
    place: '3:5',
  },
  {
    what: 'the socket of the control interface',
    path: '/run/none/admin.sock',
    text: 'admin:\n  listen: "unix:/run/none/admin.sock"\n',
    says: `admin.listen: can not listen on \`unix:/run/none/admin.sock\`: ${FAULT}`,
    place: '3:3',
  },
])('of $what it is a warning with its place', ({ path, text, says, place }) => {
  expect(warningLinesOf(http + text, { faults: { [path]: FAULT } })).toEqual([
    `any.yaml:${place}: warning: ${says}`,
  ]);
  expect(warningLinesOf(http + text)).toEqual([]);
});

describe('on this machine', () => {
  const folder = tempFolder();
  afterAll(() => folder.remove());
  const at = (name: string) => `${folder.path}/${name}`;
  writeFileSync(at('file'), '');
  mkdirSync(at('folder'));
  mkdirSync(at('closed'));
  chmodSync(at('closed'), 0o500);
  const asRoot = process.getuid?.() === 0;

  test.each([
    { why: 'a new file', path: 'new', says: null },
    { why: 'one that is there', path: 'file', says: null },
    { why: 'a folder that is not there', path: 'none/a', says: FAULT },
    { why: 'a file for a folder', path: 'file/a', says: 'there is no such folder (ENOTDIR)' },
    { why: 'a folder for a file', path: 'folder', says: 'is a folder (EISDIR)' },
    {
      why: 'a folder of others',
      path: 'closed/a',
      says: asRoot ? null : 'this user may not write there (EACCES)',
    },
  ])('$why', ({ path, says }) => {
    for (const as of ['appended', 'replaced'] as const) expect(writeFault(at(path), as)).toBe(says);
  });

  test('what another user may not do is not known from what this one may not, but what is not there is', () => {
    const other = 43_210;
    for (const as of ['appended', 'replaced', 'bound'] as const) {
      expect(writeFault(at('closed/a'), as, other)).toBeNull();
      expect(writeFault(at('none/a'), as, other)).toBe(FAULT);
    }
  });

  test('for a socket the folder is enough: another process may have bound it', () => {
    expect(writeFault(at('closed/a'), 'bound')).toBeNull();
    expect(writeFault(at('none/a'), 'bound')).toBe(FAULT);
  });
});
