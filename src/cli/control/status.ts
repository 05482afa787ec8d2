/** Prints the status of a running daemon. */

import type { LastChangeStatus, Status } from '../../admin/control.js';
import { bytesText, counted, countText, timeText } from '../../base/figures.js';
import { visible } from '../../base/text.js';
import { formatProblem } from '../../config/report.js';
import { isContributed } from '../../config/said-by.js';
import type { ClusterStatus } from '../../model/cluster-status.js';
import { columns } from '../columns.js';
import { saidByText } from '../said-by.js';

/** Files, containers and keys that are printed; `--json` has all. */
const SOURCES_SHOWN_MAX = 20;

/** Problems of a refused change that are printed; the log and `--json` have more. */
const PROBLEMS_SHOWN_MAX = 10;

export function statusText(status: Status): string {
  const { listeners, drain, lastChange } = status;
  const summary = columns([
    ['anyport', `${status.version}, pid ${status.pid}, up ${timeText(status.uptimeSeconds * 1000)}`],
    [
      'status',
      drain === null
        ? status.status
        : `draining; what is left is cut ${timeText(drain.delayMs + drain.deadlineMs)} after it began`,
    ],
    [
      'configuration',
      `${status.config.name}, since ${status.config.changedAt}, generation ${status.generation}`,
    ],
    ...sourceRows(status.saidBy),
    ...(lastChange === null ? [] : [['last change', lastChangeText(lastChange, status.time)]]),
    ...problemRows(lastChange),
    ['workers', workersText(status)],
    ...listeners.map((listener, index) => [index === 0 ? 'listeners' : '', listenerText(listener)]),
    ...listRows(status),
    ...clusterRows(status),
    ['sessions', sessionsText(status)],
    ...kcpRows(status),
    ['bytes', `${bytesText(status.bytes.up)} up, ${bytesText(status.bytes.down)} down`],
  ]);
  return `${summary}${protocolTable(status)}`;
}

/** Who says how much of it, where it is not the file alone. */
function sourceRows(saidBy: Status['saidBy']): string[][] {
  if (saidBy.length < 2 && !saidBy.some(({ source }) => isContributed(source))) return [];
  const shown = saidBy.slice(0, SOURCES_SHOWN_MAX).map(saidByText);
  const rest = saidBy.length - shown.length;
  return [...shown, ...(rest > 0 ? [`and ${rest} more`] : [])].map((row) => ['', row]);
}

function listenerText({ name, address, transport }: Status['listeners'][number]): string {
  const at = name === address ? address : `${name}, ${address}`;
  return transport === 'tcp' ? at : `${at}, ${transport}`;
}

function workersText({ workers: { wanted, accepting }, drain }: Status): string {
  const all = counted(wanted, 'worker');
  return accepting === wanted || drain !== null ? all : `${all}, of which ${accepting} accept`;
}

function lastChangeText({ cause, at, result, problems }: LastChangeStatus, nowMs: number): string {
  const ago = `${timeText(Math.max(0, nowMs - Date.parse(at)))} ago`;
  return `${result} ${ago}, by ${causes[cause] ?? cause}${problems.length > 0 ? `: ${counted(problems.length, 'problem')}` : ''}`;
}

const causes: Readonly<Record<string, string>> = {
  signal: 'SIGHUP',
  file: 'a change of the file',
  admin: 'the control interface',
  library: 'the program',
};

function problemRows(lastChange: LastChangeStatus | null): string[][] {
  const problems = lastChange?.problems ?? [];
  const shown = problems.slice(0, PROBLEMS_SHOWN_MAX).map((problem) => ['', formatProblem(problem)]);
  const rest = problems.length - shown.length;
  return rest > 0 ? [...shown, ['', `and ${rest} more`]] : shown;
}

/** Links of reliable UDP, where there is or was something of the kind. */
function kcpRows({ kcp, listeners }: Status): string[][] {
  const { links, segmentsSent, retransmits, recovered, dropped } = kcp;
  const isUsed = links > 0 || segmentsSent > 0 || listeners.some(({ transport }) => transport === 'kcp');
  const lost = Object.entries(dropped).filter(([, count]) => count > 0);
  if (!isUsed && lost.length === 0) return [];
  const share = segmentsSent === 0 ? '' : ` (${((100 * retransmits) / segmentsSent).toFixed(1)} %)`;
  const sent = `${countText(segmentsSent)} segments sent, ${countText(retransmits)} again${share}`;
  const drops = lost.map(([reason, count]) => `${reason} ${countText(count)}`);
  return [
    [
      'kcp',
      [
        `${counted(links, 'link')}, ${sent}, ${countText(recovered)} datagrams recovered`,
        ...(drops.length === 0 ? [] : [`dropped: ${drops.join(', ')}`]),
      ].join('; '),
    ],
  ];
}

/** Lists of networks, and their files that can not be read. */
function listRows({ lists }: Status): string[][] {
  const rows = lists.flatMap(({ list, listener, entries, files }) => [
    `${list}${listener === null ? '' : ` of ${listener}`}: ${counted(entries, 'network')}`,
    ...files.flatMap(({ problem }) => (problem === null ? [] : `what it had last is in force: ${problem}`)),
  ]);
  return rows.map((row, index) => [index === 0 ? 'lists' : '', row]);
}

/** This node among others. */
function clusterRows({ cluster }: Status): string[][] {
  if (cluster === null) return [];
  const { node, registered, connected, error, nodes, services, fragments, leftOut } = cluster;
  const instances = services.reduce((all, each) => all + each.instances, 0);
  const known = `${counted(nodes.length, 'node')}, ${counted(services.length, 'service')}, ${counted(instances, 'instance')}`;
  const state = connected ? known : `${known} as known last`;
  const rows = [
    `${node}${registered ? '' : ', not registered'}; ${state}`,
    ...(error === null ? [] : [error]),
    ...(fragments === null ? [] : [fragmentsText(fragments)]),
    ...leftOut.map((fault) => `left out: ${visible(fault)}`),
  ];
  return rows.map((row, index) => [index === 0 ? 'cluster' : '', row]);
}

function fragmentsText({ accepted, refused, waiting }: NonNullable<ClusterStatus['fragments']>): string {
  const others = [
    ...(refused > 0 ? [`${refused} refused`] : []),
    ...(waiting > 0 ? [`${waiting} waiting`] : []),
  ];
  return [`${counted(accepted, 'fragment')} of the configuration`, ...others].join(', ');
}

function sessionsText({
  activeConnections,
  acceptedConnections,
  endedConnections,
  security,
}: Status): string {
  const reasons = Object.entries(endedConnections)
    .filter(([, count]) => count > 0)
    .toSorted(([, a], [, b]) => b - a)
    .map(([reason, count]) => `${reason} ${countText(count)}`);
  const ended = reasons.length === 0 ? '' : `; ended: ${reasons.join(', ')}`;
  const refused = Object.values(security.refused).reduce((all, each) => all + each, 0);
  const first = `${countText(activeConnections)} active, ${countText(acceptedConnections)} accepted`;
  return `${first}${refused > 0 ? `, ${countText(refused)} refused` : ''}${ended}`;
}

function protocolTable({ protocols }: Status): string {
  const rows = Object.entries(protocols).toSorted(([, a], [, b]) => b.identified - a.identified);
  if (rows.length === 0) return '';
  const table = columns([
    ['PROTOCOL', 'ACTIVE', 'IDENTIFIED', 'ENDED', 'UP', 'DOWN'],
    ...rows.map(([name, { active, identified, ended, bytes }]) => [
      name,
      countText(active),
      countText(identified),
      countText(ended),
      bytesText(bytes.up),
      bytesText(bytes.down),
    ]),
  ]);
  return `\n${table}`;
}
