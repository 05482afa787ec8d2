/** `server.user` and `server.group`: names and numbers of this machine's accounts. */
import { chmodSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, test } from 'vitest';
import { systemAccounts } from '../../src/config/accounts.js';
import { mayUse, type Right } from '../../src/config/rights.js';
import { tempFolder } from '../support/temp.js';
import { configOf, problemsOf, warningLinesOf } from './support.js';

const http = 'protocols: [{ name: HTTP, target: "a:80" }]\n';
const identityOf = (server: string) => configOf(`${http}server: ${server}`).server.identity;
const problemOf = (server: string) => problemsOf(`${http}server: ${server}`);

const anyport = { name: 'anyport', account: 'anyport', uid: 990, gid: 980 };

describe('whom the daemon becomes', () => {
  test.each([
    { why: 'nobody else by default', server: '{}', identity: null },
    { why: 'an empty name is none', server: '{ user: "", group: "" }', identity: null },
    {
      why: 'a name brings its primary group',
      server: '{ user: anyport }',
      identity: { user: anyport, group: { name: '', gid: 980 } },
    },
    {
      why: 'another group may be named',
      server: '{ user: anyport, group: ssl-cert }',
      identity: { user: anyport, group: { name: 'ssl-cert', gid: 117 } },
    },
    {
      why: 'a number of an account is the account',
      server: '{ user: 990 }',
      identity: { user: { ...anyport, name: '990' }, group: { name: '', gid: 980 } },
    },
    {
      why: 'numbers need no account',
      server: '{ user: "4321", group: 4322 }',
      identity: {
        user: { name: '4321', account: null, uid: 4321, gid: null },
        group: { name: '4322', gid: 4322 },
      },
    },
  ])('$why', ({ server, identity }) => expect(identityOf(server)).toEqual(identity));
});

describe('refused, with its place', () => {
  test.each([
    {
      why: 'a user that is not there',
      server: '{ user: anyprot }',
      says: 'any.yaml:2:11: server.user: there is no user `anyprot` on this machine: `useradd --system anyprot` makes one',
    },
    {
      why: 'a group that is not there',
      server: '{ user: anyport, group: none }',
      says: 'any.yaml:2:26: server.group: there is no group `none` on this machine: `groupadd --system none` makes one',
    },
    {
      why: 'a number whose group is not known',
      server: '{ user: 4321 }',
      says: 'any.yaml:2:11: server.user: no user has the number 4321, so its group is not known: name `group` too',
    },
    {
      why: 'root by name',
      server: '{ user: root }',
      says: 'any.yaml:2:11: server.user: `root` is root, whom anyport is to give up: name another user',
    },
    {
      why: 'root by number',
      server: '{ user: 0 }',
      says: 'any.yaml:2:11: server.user: `0` is root, whom anyport is to give up: name another user',
    },
    {
      why: 'a group alone',
      server: '{ group: ssl-cert }',
      says: 'any.yaml:2:11: server.group: needs `user`: a group alone takes no rights away',
    },
    {
      why: 'a number that no kernel has',
      server: '{ user: 4294967295, group: 1 }',
      says: 'any.yaml:2:11: server.user: there is no user `4294967295` on this machine: `useradd --system 4294967295` makes one',
    },
    {
      why: 'what is no name',
      server: '{ user: [a] }',
      says: 'any.yaml:2:11: server.user: expected name or number of a user, got a list',
    },
  ])('$why', ({ server, says }) => expect(problemOf(server)).toEqual([says]));
});

describe('what it may not use is a warning', () => {
  const text = `server: { user: anyport }
listeners: [{ name: a, address: "unix:/run/a.sock" }, { name: b, address: "unix:@b" }]
logging: { file: /var/log/none/a.log }
protocols: [{ name: HTTP, handler: ./h.mjs }]
security: { ip_blacklist_files: [deny.txt], ip_whitelist_files: [deny.txt], ban_export: /var/lib/none/bans }
docker: { state_file: /var/lib/kept/docker.json }
`;
  const files = ['/etc/anyport/h.mjs', '/etc/anyport/deny.txt'];

  test('each with what becomes of it', () =>
    expect(
      warningLinesOf(text, {
        files,
        denied: [
          ...files.map((file) => `read ${file}`),
          'write /var/log/none',
          'write /var/lib/none',
          'write /var/lib/kept',
          'write /run',
          'write /',
        ],
      }),
    ).toEqual([
      'any.yaml:1:11: warning: server.user: by its permissions /etc/anyport/h.mjs is not for `anyport` to read: it can not be loaded',
      'any.yaml:1:11: warning: server.user: by its permissions /etc/anyport/deny.txt is not for `anyport` to read: anyport does not start without its lists of networks',
      'any.yaml:1:11: warning: server.user: by its permissions /var/log/none is not for `anyport` to write: anyport does not start without its log file',
      'any.yaml:1:11: warning: server.user: by its permissions /var/lib/none is not for `anyport` to write: the bans are not exported',
      'any.yaml:1:11: warning: server.user: by its permissions /var/lib/kept is not for `anyport` to write: a start without the engine has no containers',
      'any.yaml:1:11: warning: server.user: by its permissions /run is not for `anyport` to write: its socket stays there at the end, and a reload can not open it',
    ]));

  test('none where it may, nor without a user', () => {
    expect(warningLinesOf(text, { files })).toEqual([]);
    const denied = ['read /etc/anyport/h.mjs'];
    expect(warningLinesOf(text.replace('user: anyport', ''), { files, denied })).toEqual([]);
  });
});

test('a private key that it may not read is a warning, for the next reload', () => {
  const text = `server: { user: anyport }
kcp: { link: { secret: correct-horse-battery, private_key_file: server.key } }
listeners: [{ name: a, address: ":4000", transport: kcp, kcp: link }]
protocols: [{ name: SSH, target: "127.0.0.1:22" }]
`;
  const path = '/etc/anyport/server.key';
  const keys = { [path]: { text: Buffer.alloc(32, 1).toString('base64'), isShared: false } };
  expect(warningLinesOf(text, { keys })).toEqual([]);
  expect(warningLinesOf(text, { keys, denied: [`read ${path}`] })).toEqual([
    `any.yaml:1:11: warning: server.user: by its permissions ${path} is not for \`anyport\` to read: every reload is refused`,
  ]);
});

describe('rights by owner and permissions', () => {
  const folder = tempFolder();
  const at = (name: string) => `${folder.path}/${name}`;
  const { uid, gid } = statSync(folder.path);
  const owner = { uid, gids: [] };
  const member = { uid: uid + 1, gids: [9999, gid] };
  const other = { uid: uid + 1, gids: [9999] };
  afterAll(() => folder.remove());

  test('are those of the owner, else of the group, else of all others', () => {
    chmodSync(folder.path, 0o751);
    writeFileSync(at('file'), '');
    chmodSync(at('file'), 0o640);
    const may = (right: Right) => [owner, member, other].map((subject) => mayUse(at('file'), right, subject));
    expect(may('read')).toEqual([true, true, false]);
    expect(may('write')).toEqual([true, false, false]);
    chmodSync(at('file'), 0o066);
    expect(may('read')).toEqual([false, true, true]);
    chmodSync(folder.path, 0o700);
    expect(may('read')).toEqual([false, false, false]);
    expect(mayUse(at('none/file'), 'read', owner)).toBe(true);
  });
});

describe('the accounts of this machine', () => {
  test('are found by name and number', () => {
    expect(systemAccounts.user('root')).toEqual({ name: 'root', uid: 0, gid: 0 });
    expect(systemAccounts.user('0')).toEqual({ name: 'root', uid: 0, gid: 0 });
    expect(systemAccounts.group('0')).toEqual({ name: 'root', gid: 0 });
  });

  test('or not at all; a name is no option of the program that is asked', () => {
    expect(systemAccounts.user('no-such-user-here')).toBeNull();
    expect(systemAccounts.user('--help')).toBeNull();
    expect(systemAccounts.group('a:b\nc')).toBeNull();
  });
});
