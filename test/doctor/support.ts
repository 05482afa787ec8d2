/** Machines as their /proc and /sys tell of them, and configurations to compare with them. */
import type { Check, Finding } from '../../src/doctor/check.js';
import { examine } from '../../src/doctor/examine.js';
import type { Machine } from '../../src/doctor/machine.js';
import type { Config } from '../../src/model/config.js';
import { configOf as read } from '../config/support.js';

export type Texts = Readonly<Record<string, string>>;

/** Paths of sysctls by name. */
const sys = (values: Texts): Texts =>
  Object.fromEntries(
    Object.entries(values).map(([name, text]) => [`/proc/sys/${name.replaceAll('.', '/')}`, `${text}\n`]),
  );

const ROOT_CAPABILITIES = '000001ffffffffff';
const NO_CAPABILITIES = '0000000000000000';

const status = (uid: number, capabilities: string): string =>
  `Name:\tnode\nThreads:\t7\nUmask:\t0022\nState:\tR (running)\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nGid:\t${uid}\t${uid}\t${uid}\t${uid}\n` +
  `CapInh:\t0000000000000000\nCapPrm:\t${capabilities}\nCapEff:\t${capabilities}\nCapBnd:\t000001ffffffffff\n`;

export interface OtherLimits {
  readonly space?: number;
  readonly data?: number;
  readonly processes?: number;
}

const limitRow = (row: string, value: number | string, unit: string): string =>
  `Max ${row.padEnd(22)}${`${value}`.padEnd(21)}${`${value}`.padEnd(21)}${unit}\n`;

export const limits = (
  soft: string,
  hard: string,
  { space, data, processes = 96_365 }: OtherLimits = {},
): string =>
  'Limit                     Soft Limit           Hard Limit           Units     \n' +
  limitRow('data size', data ?? 'unlimited', 'bytes') +
  limitRow('processes', processes, 'processes') +
  `Max open files            ${soft.padEnd(20)} ${hard.padEnd(20)} files     \n` +
  'Max locked memory         8388608              8388608              bytes     \n' +
  limitRow('address space', space ?? 'unlimited', 'bytes');

const meminfo = (available: number): string =>
  `MemTotal:       24684084 kB\nMemFree:        18488680 kB\nMemAvailable:   ${available} kB\nBuffers:          192292 kB\n`;

/** Debian 12 on 4 CPUs and 24 GiB, as root. */
const server: Texts = {
  ...sys({
    'net.core.somaxconn': '4096',
    'net.core.rmem_max': '212992',
    'net.ipv4.tcp_max_syn_backlog': '4096',
    'net.ipv4.tcp_syncookies': '1',
    'net.ipv4.ip_local_port_range': '32768\t60999',
    'net.ipv4.ip_local_reserved_ports': '',
    'net.ipv4.ip_unprivileged_port_start': '1024',
    'net.ipv4.tcp_available_congestion_control': 'reno cubic bbr',
    'net.ipv4.tcp_allowed_congestion_control': 'reno cubic',
    'net.ipv4.conf.all.rp_filter': '0',
    'net.ipv4.conf.eth0.rp_filter': '0',
    'fs.file-max': '9223372036854775807',
    'fs.file-nr': '1120\t0\t9223372036854775807',
    'fs.nr_open': '1048576',
    'fs.pipe-user-pages-soft': '16384',
  }),
  '/proc/self/status': status(0, ROOT_CAPABILITIES),
  '/proc/self/limits': limits('1024', '1048576'),
  '/proc/self/cgroup': '0::/user.slice/user-0.slice/session-1.scope\n',
  '/proc/meminfo': meminfo(21_181_936),
};

/** The other user, whose texts replace some of the server's. */
export const unprivileged: Texts = { '/proc/self/status': status(1000, NO_CAPABILITIES) };

export const sysctls = sys;

export interface Differences {
  readonly texts?: Texts;
  /** Paths that can not be read. */
  readonly without?: readonly string[];
  /** Command line → output. */
  readonly outputs?: Texts;
  readonly cores?: number;
}

export function machine({ texts = {}, without = [], outputs = {}, cores = 4 }: Differences = {}): Machine {
  const files = { ...server, ...texts };
  return {
    read: (path) => (without.includes(path) ? null : (files[path] ?? null)),
    list: (path) => [
      ...new Set(
        Object.keys(files)
          .filter((each) => each.startsWith(`${path}/`))
          .map((each) => each.slice(path.length + 1).split('/')[0] ?? ''),
      ),
    ],
    run: (...command) => outputs[command.join(' ')] ?? null,
    cores,
  };
}

/** A configuration with one upstream, and what is different in a case. */
export const configOf = (sections: Readonly<Record<string, unknown>> = {}): Config =>
  read(
    JSON.stringify({
      server: { listen: ':9090', workers: 2 },
      protocols: [{ name: 'Redis', target: 'a' }],
      upstreams: { a: { endpoints: ['10.0.0.1:6379'] } },
      ...sections,
    }),
    { files: ['/etc/anyport/h.js'] },
  );

export const findingsOf = (check: Check, on: Differences, config = configOf()): Finding[] =>
  examine(config, machine(on), [check]);
