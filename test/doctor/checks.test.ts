/** Each check's verdicts, from what /proc and /sys say of a machine. */
import { expect, test } from 'vitest';
import { demandOf } from '../../src/budget/demand.js';
import { memoryNeeds, memoryPeaks } from '../../src/budget/memory.js';
import { itemsOf, totalOf } from '../../src/budget/need.js';
import { fitOpenFiles } from '../../src/budget/open-files.js';
import { acceptBacklog } from '../../src/doctor/checks/accept-backlog.js';
import { amplifiers } from '../../src/doctor/checks/amplifiers.js';
import { congestion } from '../../src/doctor/checks/congestion.js';
import { conntrack } from '../../src/doctor/checks/conntrack.js';
import { cpus } from '../../src/doctor/checks/cpus.js';
import { drop } from '../../src/doctor/checks/drop.js';
import { identity } from '../../src/doctor/checks/identity.js';
import { checks } from '../../src/doctor/checks/index.js';
import { localDelivery } from '../../src/doctor/checks/local-delivery.js';
import { localPorts } from '../../src/doctor/checks/local-ports.js';
import { lowPorts } from '../../src/doctor/checks/low-ports.js';
import { memory } from '../../src/doctor/checks/memory.js';
import { openFiles } from '../../src/doctor/checks/open-files.js';
import { pipes } from '../../src/doctor/checks/pipes.js';
import { addressSpace, dataSize } from '../../src/doctor/checks/process-limits.js';
import { rpFilter } from '../../src/doctor/checks/rp-filter.js';
import { synBacklog } from '../../src/doctor/checks/syn-backlog.js';
import { systemFiles } from '../../src/doctor/checks/system-files.js';
import { threads } from '../../src/doctor/checks/threads.js';
import { transparent } from '../../src/doctor/checks/transparent.js';
import { udpBuffers } from '../../src/doctor/checks/udp-buffers.js';
import { type Case, runCases } from './cases.js';
import { configOf, findingsOf, limits, sysctls, unprivileged } from './support.js';

const plain = configOf();
const { needed } = fitOpenFiles(demandOf(plain), 0);
const upstream = (options: object, endpoint = '10.0.0.1:6379') => ({
  upstreams: { a: { endpoints: [endpoint], ...options } },
});
const clientsAddress = upstream({ source: { transparent: true } });
const clientsAddressIpv6 = upstream({ source: { transparent: true } }, '[2001:db8::1]:6379');
const connections = (max_connections: number) => ({
  server: { listen: ':9090', workers: 2, max_connections },
});
const files = (soft: number | string, hard: number | string) => ({
  texts: { '/proc/self/limits': limits(String(soft), String(hard)) },
});
const sysctl = (name: string, value: string) => ({ texts: sysctls({ [name]: value }) });
const withoutSysctl = (name: string) => ({ without: [`/proc/sys/${name.replaceAll('.', '/')}`] });
const quiet = totalOf(itemsOf(memoryNeeds, demandOf(plain)));
const peak = quiet + totalOf(itemsOf(memoryPeaks, demandOf(plain)));
const available = (bytes: number) => `MemAvailable:   ${bytes / 1024} kB\n`;

const dropped = { routes: [{ when: { protocol: 'redis' }, to: 'drop' }] };
const asUser = { server: { workers: 2, user: '33', group: '33' } };

const rules = (extra: string) =>
  `[{"priority":0,"src":"all","table":"local"},${extra}{"priority":32766,"src":"all","table":"main"}]\n`;
const marked = rules('{"priority":32765,"src":"all","fwmark":"0x1","table":"100"},');
const localDefault = '[{"type":"local","dst":"default","dev":"lo","scope":"host","flags":[]}]\n';

const cases: Case[] = [
  {
    check: openFiles,
    why: 'they suffice',
    says: 'ok',
    there: '1,048,576',
  },
  { check: openFiles, why: 'no limit', on: files('unlimited', 'unlimited'), says: 'ok', there: 'unlimited' },
  {
    check: openFiles,
    why: 'one less',
    on: files(64, needed - 1),
    says: 'short',
    remedy: `ulimit -n ${needed}  # as root; in a systemd unit: LimitNOFILE=${needed}`,
  },
  {
    check: openFiles,
    why: 'all but pipes',
    on: files(64, needed + 8),
    says: 'note',
    remedy: `ulimit -n ${needed + 1024}  # as root; in a systemd unit: LimitNOFILE=${needed + 1024}`,
  },
  {
    check: openFiles,
    why: 'more than fs.nr_open',
    asks: connections(1_000_000),
    says: 'short',
    remedy: `sysctl -w fs.nr_open=${needed + 2 * (1_000_000 - 1024)}  # first`,
  },
  { check: openFiles, why: 'no /proc', on: { without: ['/proc/self/limits'] }, says: 'unknown' },
  { check: systemFiles, why: 'they suffice', says: 'ok' },
  {
    check: systemFiles,
    why: 'others have them',
    on: { texts: sysctls({ 'fs.file-max': '4000', 'fs.file-nr': '3000\t0\t4000' }) },
    says: 'short',
    remedy: `sysctl -w fs.file-max=${needed + 3000}`,
  },
  { check: systemFiles, why: 'no /proc', on: withoutSysctl('fs.file-max'), says: 'unknown' },
  { check: pipes, why: 'root has no limit', says: 'ok' },
  {
    check: pipes,
    why: 'a user has one',
    on: { texts: unprivileged },
    says: 'note',
    there: '16,384 pages',
    remedy: 'sysctl -w fs.pipe-user-pages-soft=38912',
  },
  {
    check: pipes,
    why: 'as much as is needed',
    on: { texts: { ...unprivileged, ...sysctls({ 'fs.pipe-user-pages-soft': '38912' }) } },
    says: 'ok',
  },
  {
    check: pipes,
    why: '0 is none',
    on: { texts: { ...unprivileged, ...sysctls({ 'fs.pipe-user-pages-soft': '0' }) } },
    says: 'ok',
  },
  {
    check: pipes,
    why: 'no /proc',
    on: { texts: unprivileged, ...withoutSysctl('fs.pipe-user-pages-soft') },
    says: 'unknown',
  },
  { check: memory, why: 'plenty', says: 'ok' },
  { check: memory, why: 'exactly a peak', on: { texts: { '/proc/meminfo': available(peak) } }, says: 'ok' },
  {
    check: memory,
    why: 'less than a peak',
    on: { texts: { '/proc/meminfo': available(peak - 1024) } },
    says: 'note',
    remedy: 'server.max_connections, server.workers: lower',
  },
  {
    check: memory,
    why: 'less than every place taken',
    on: { texts: { '/proc/meminfo': available(quiet - 1024) } },
    says: 'short',
  },
  { check: memory, why: 'no /proc', on: { without: ['/proc/meminfo'] }, says: 'unknown' },
  {
    check: memory,
    why: 'a container, second version',
    on: { texts: { '/proc/self/cgroup': '0::/\n', '/sys/fs/cgroup/memory.max': '134217728\n' } },
    says: 'short',
    there: '128.0 MiB (control group)',
    remedy: `MemoryMax=${Math.ceil(peak / 2 ** 20)}M  # in a systemd unit; docker: --memory=${Math.ceil(peak / 2 ** 20)}m`,
  },
  {
    check: memory,
    why: 'a unit whose slice is smaller',
    on: {
      texts: {
        '/proc/self/cgroup': '0::/a.slice/b.service\n',
        '/sys/fs/cgroup/a.slice/b.service/memory.max': 'max\n',
        '/sys/fs/cgroup/a.slice/memory.max': '268435456\n',
      },
    },
    says: 'note',
    there: '256.0 MiB (control group)',
  },
  {
    check: memory,
    why: 'a container, first version',
    on: {
      texts: {
        '/proc/self/cgroup': '9:name=systemd:/\n4:memory:/docker/x\n0::/\n',
        '/sys/fs/cgroup/memory/memory.limit_in_bytes': '134217728\n',
      },
    },
    says: 'short',
    there: '128.0 MiB (control group)',
  },
  {
    check: memory,
    why: 'no limit, first version',
    on: {
      texts: {
        '/proc/self/cgroup': '4:memory:/x\n',
        '/sys/fs/cgroup/memory/x/memory.limit_in_bytes': '9223372036854771712\n',
      },
    },
    says: 'ok',
  },
  { check: cpus, why: 'a CPU each', says: 'ok', there: '4' },
  { check: cpus, why: 'more workers than CPUs', on: { cores: 1 }, says: 'note', remedy: 'server.workers: 1' },
  {
    check: cpus,
    why: 'a quota, second version',
    on: { texts: { '/sys/fs/cgroup/user.slice/cpu.max': '50000 100000\n' } },
    says: 'note',
    there: '4, quota 0.5',
    remedy: 'server.workers: 1',
  },
  {
    check: cpus,
    why: 'no quota, second version',
    on: { texts: { '/sys/fs/cgroup/user.slice/cpu.max': 'max 100000\n' } },
    says: 'ok',
    there: '4',
  },
  {
    check: cpus,
    why: 'a quota, first version',
    on: {
      texts: {
        '/proc/self/cgroup': '2:cpu,cpuacct:/x\n',
        '/sys/fs/cgroup/cpu/x/cpu.cfs_quota_us': '150000\n',
        '/sys/fs/cgroup/cpu/x/cpu.cfs_period_us': '100000\n',
      },
    },
    says: 'note',
    there: '4, quota 1.5',
  },
  { check: localPorts, why: 'they suffice', says: 'ok', there: '28,232 (32768–60999)' },
  {
    check: localPorts,
    why: 'all but one',
    asks: connections(28_233),
    says: 'short',
    remedy: 'sysctl -w net.ipv4.ip_local_port_range="1024 65535"',
  },
  { check: localPorts, why: 'just all', asks: connections(28_232), says: 'ok' },
  {
    check: localPorts,
    why: 'some are reserved',
    asks: connections(28_232),
    on: sysctl('net.ipv4.ip_local_reserved_ports', '8080,40000-40009,60999-61010'),
    says: 'short',
    there: '28,221 (32768–60999)',
  },
  {
    check: localPorts,
    why: 'the range is at its widest',
    asks: connections(70_000),
    on: sysctl('net.ipv4.ip_local_port_range', '1024\t65535'),
    says: 'short',
    remedy: 'max_connections: 64512  # of upstream a; or more addresses',
  },
  {
    check: localPorts,
    why: 'fewer sessions for each endpoint',
    asks: { ...connections(70_000), ...upstream({ max_connections: 20_000 }) },
    says: 'ok',
  },
  {
    check: localPorts,
    why: "the clients' own",
    asks: { ...connections(70_000), ...clientsAddress },
    says: 'nothing',
  },
  {
    check: localPorts,
    why: 'none for Unix sockets',
    asks: { ...connections(70_000), ...upstream({}, 'unix:/run/a.sock') },
    says: 'nothing',
  },
  { check: localPorts, why: 'no /proc', on: withoutSysctl('net.ipv4.ip_local_port_range'), says: 'unknown' },
  { check: acceptBacklog, why: 'as asked for', says: 'ok' },
  {
    check: acceptBacklog,
    why: 'the default of old kernels',
    on: sysctl('net.core.somaxconn', '128'),
    says: 'short',
    remedy: 'sysctl -w net.core.somaxconn=4096',
  },
  {
    check: acceptBacklog,
    why: 'few connections need no more',
    asks: connections(100),
    on: sysctl('net.core.somaxconn', '128'),
    says: 'ok',
  },
  { check: acceptBacklog, why: 'no /proc', on: withoutSysctl('net.core.somaxconn'), says: 'unknown' },
  { check: synBacklog, why: 'suffices', says: 'ok' },
  {
    check: synBacklog,
    why: 'short, with cookies',
    on: sysctl('net.ipv4.tcp_max_syn_backlog', '512'),
    says: 'note',
    there: '512, SYN cookies on',
    remedy: 'sysctl -w net.ipv4.tcp_max_syn_backlog=4096',
  },
  {
    check: synBacklog,
    why: 'short, without',
    on: { texts: sysctls({ 'net.ipv4.tcp_max_syn_backlog': '512', 'net.ipv4.tcp_syncookies': '0' }) },
    says: 'short',
  },
  { check: synBacklog, why: 'no /proc', on: withoutSysctl('net.ipv4.tcp_max_syn_backlog'), says: 'unknown' },
  { check: conntrack, why: 'not loaded', says: 'ok', there: 'not loaded' },
  {
    check: conntrack,
    why: 'room',
    on: {
      texts: sysctls({ 'net.netfilter.nf_conntrack_max': '2048', 'net.netfilter.nf_conntrack_count': '0' }),
    },
    says: 'ok',
  },
  {
    check: conntrack,
    why: 'others have entries',
    on: {
      texts: sysctls({ 'net.netfilter.nf_conntrack_max': '2048', 'net.netfilter.nf_conntrack_count': '1' }),
    },
    says: 'short',
    remedy: 'sysctl -w net.netfilter.nf_conntrack_max=2049',
  },
  { check: lowPorts, why: 'none', says: 'nothing' },
  { check: lowPorts, why: 'root may', asks: { server: { listen: ':443' } }, says: 'ok' },
  {
    check: lowPorts,
    why: 'a user may not',
    asks: { server: { listen: [':443', ':80', ':8080'] } },
    on: { texts: unprivileged },
    says: 'short',
    remedy: 'AmbientCapabilities=CAP_NET_BIND_SERVICE  # in a systemd unit',
  },
  {
    check: lowPorts,
    why: 'where the sysctl lets all',
    asks: { server: { listen: ':443' } },
    on: { texts: { ...unprivileged, ...sysctls({ 'net.ipv4.ip_unprivileged_port_start': '443' }) } },
    says: 'nothing',
  },
  { check: transparent, why: 'not asked for', says: 'nothing' },
  { check: transparent, why: 'root may', asks: clientsAddress, says: 'ok' },
  {
    check: transparent,
    why: 'a user may not',
    asks: clientsAddress,
    on: { texts: unprivileged },
    says: 'short',
    remedy: 'AmbientCapabilities=CAP_NET_RAW  # in a systemd unit',
  },
  { check: rpFilter, why: 'not asked for', on: sysctl('net.ipv4.conf.all.rp_filter', '1'), says: 'nothing' },
  { check: rpFilter, why: 'off', asks: clientsAddress, says: 'ok' },
  {
    check: rpFilter,
    why: 'strict everywhere',
    asks: clientsAddress,
    on: sysctl('net.ipv4.conf.all.rp_filter', '1'),
    says: 'short',
    there: '1 on eth0',
    remedy: 'sysctl -w net.ipv4.conf.all.rp_filter=2',
  },
  {
    check: rpFilter,
    why: 'strict on one',
    asks: clientsAddress,
    on: sysctl('net.ipv4.conf.eth0.rp_filter', '1'),
    says: 'short',
  },
  {
    check: rpFilter,
    why: 'loose on all is more',
    asks: clientsAddress,
    on: { texts: sysctls({ 'net.ipv4.conf.all.rp_filter': '2', 'net.ipv4.conf.eth0.rp_filter': '1' }) },
    says: 'ok',
  },
  {
    check: rpFilter,
    why: 'IPv6 has none',
    asks: clientsAddressIpv6,
    on: sysctl('net.ipv4.conf.all.rp_filter', '1'),
    says: 'nothing',
  },
  {
    check: rpFilter,
    why: 'no /proc',
    asks: clientsAddress,
    on: withoutSysctl('net.ipv4.conf.all.rp_filter'),
    says: 'unknown',
  },
  { check: localDelivery, why: 'not asked for', says: 'nothing' },
  { check: localDelivery, why: 'ip(8) is not installed', asks: clientsAddress, says: 'unknown' },
  {
    check: localDelivery,
    why: 'no rule',
    asks: clientsAddress,
    on: { outputs: { 'ip -4 -j rule show': rules('') } },
    says: 'short',
    there: 'no rule by mark or interface',
    remedy: 'iptables  -t mangle -A PREROUTING -p tcp -m socket --transparent -j MARK --set-mark 1',
  },
  {
    check: localDelivery,
    why: 'a rule to an empty table',
    asks: clientsAddress,
    on: { outputs: { 'ip -4 -j rule show': marked, 'ip -4 -j route show table 100': '' } },
    says: 'short',
    there: 'their tables have none',
  },
  {
    check: localDelivery,
    why: 'as it should be',
    asks: clientsAddress,
    on: { outputs: { 'ip -4 -j rule show': marked, 'ip -4 -j route show table 100': localDefault } },
    says: 'ok',
    there: 'table 100',
  },
  {
    check: localDelivery,
    why: 'IPv6 alone',
    asks: clientsAddressIpv6,
    on: { outputs: { 'ip -6 -j rule show': marked, 'ip -6 -j route show table 100': localDefault } },
    says: 'ok',
  },
  { check: congestion, why: 'the default is always there', says: 'nothing' },
  {
    check: congestion,
    why: 'allowed to all',
    asks: upstream({ tcp: { congestion: 'cubic' } }),
    on: { texts: unprivileged },
    says: 'ok',
  },
  { check: congestion, why: 'root may', asks: upstream({ tcp: { congestion: 'bbr' } }), says: 'ok' },
  {
    check: congestion,
    why: 'not allowed to all',
    asks: upstream({ tcp: { congestion: 'bbr' } }),
    on: { texts: unprivileged },
    says: 'short',
    remedy: 'sysctl -w net.ipv4.tcp_allowed_congestion_control="reno cubic bbr"',
  },
  {
    check: congestion,
    why: 'not loaded',
    asks: upstream({ tcp: { congestion: 'bbr' } }),
    on: sysctl('net.ipv4.tcp_available_congestion_control', 'reno cubic'),
    says: 'short',
    remedy: 'modprobe tcp_bbr',
  },
  {
    check: identity,
    why: 'that user already',
    asks: { server: { user: '1000', group: '1000' } },
    on: { texts: unprivileged },
    says: 'ok',
  },
  {
    check: identity,
    why: 'a user who can not become another one',
    asks: asUser,
    on: { texts: unprivileged },
    says: 'short',
    there: 'uid 1000',
  },
  {
    check: identity,
    why: 'modules of root',
    asks: { protocols: [{ name: 'Redis', handler: './h.js' }] },
    says: 'short',
    remedy: 'server.user: anyport  # after useradd --system anyport',
  },
  { check: pipes, why: 'root who becomes another user', asks: asUser, says: 'note', there: '16,384 pages' },
  { check: drop, why: 'not asked for', on: { texts: unprivileged }, says: 'nothing' },
  { check: drop, why: 'root may', asks: dropped, says: 'ok' },
  { check: drop, why: 'a user may not', asks: dropped, on: { texts: unprivileged }, says: 'note' },
  { check: identity, why: 'root', says: 'note' },
  {
    check: identity,
    why: 'root that becomes another user',
    asks: { server: { user: 1, group: 1 } },
    says: 'ok',
    there: 'root, to become 1:1',
  },
  { check: identity, why: 'a user', on: { texts: unprivileged }, says: 'ok', there: 'uid 1000' },
  { check: identity, why: 'no /proc', on: { without: ['/proc/self/status'] }, says: 'unknown' },
];

runCases(cases);

test('every check has cases, here or in a file of its own', () => {
  const elsewhere = [addressSpace, dataSize, threads, udpBuffers, amplifiers];
  const known = new Set([...cases.map(({ check }) => check), ...elsewhere]);
  expect(checks.filter((check) => !known.has(check))).toEqual([]);
  expect(new Set(checks.map(({ name }) => name)).size).toBe(checks.length);
});

test('of an endpoint by name both families of answers are asked for', () => {
  const config = configOf(upstream({ source: { transparent: true } }, 'db.example:6379'));
  expect(findingsOf(localDelivery, {}, config).map(({ what }) => what)).toEqual([
    'rules for IPv4 answers',
    'rules for IPv6 answers',
  ]);
});
