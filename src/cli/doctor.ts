/** Runs `anyport doctor`: a configuration in, a table of what it needs beside what there is out. */
import { bytesText, counted, countText } from '../base/figures.js';
import { jsonLine } from '../base/text.js';
import { UNJUDGED_KERNEL } from '../config/kernel.js';
import { loadConfig } from '../config/load.js';
import type { Verdict } from '../doctor/check.js';
import { checks } from '../doctor/checks/index.js';
import { type Examined, examine } from '../doctor/examine.js';
import { type Machine, thisMachine } from '../doctor/machine.js';
import { asProcess } from '../doctor/of-process.js';
import { columns } from './columns.js';
import { okOrFail } from './configuration.js';
import { BAD_USAGE, FAILED, Failure } from './failure.js';

export interface DoctorOptions {
  readonly pid?: string;
  readonly all?: true;
  readonly json?: true;
}

export function examineFile(file: string | undefined, { pid, all, json }: DoctorOptions): void {
  const machine = machineOf(pid);
  const request = { file: file ?? null, flags: {}, environment: process.env, kernel: UNJUDGED_KERNEL };
  const { name, config } = okOrFail(loadConfig(request));
  const findings = examine(config, machine, checks);
  const short = findings.filter(({ verdict }) => verdict === 'short').length;
  process.stdout.write(
    json ? jsonLine({ file: name, ok: short === 0, findings }) : report(findings, all === true),
  );
  if (short > 0) throw new Failure(`${counted(short, 'shortfall')} for ${name}`, FAILED);
}

function machineOf(pid: string | undefined): Machine {
  if (pid === undefined) return thisMachine;
  const machine = asProcess(thisMachine, Number(pid));
  if (/^\d+$/.test(pid) && machine.read('/proc/self/limits') !== null) return machine;
  throw new Failure(`--pid ${pid}: there is no such process, or it is somebody else's`, BAD_USAGE);
}

function report(findings: readonly Examined[], all: boolean): string {
  const rows = findings.map(({ verdict, what, needed, there }) => [verdict, what, needed, there]);
  const table = columns([['', '', 'needed', 'there'], ...rows]);
  const items = all ? findings.map(itemsText) : [];
  const advice = findings.filter(({ verdict }) => verdict !== 'ok').map(adviceText);
  return [table, ...items, ...advice, `${summary(findings)}\n`].filter(Boolean).join('\n');
}

function itemsText({ what, items = [], unit }: Examined): string {
  if (items.length === 0) return '';
  const text = unit === 'bytes' ? bytesText : countText;
  const rows = items.map(({ name, count, each, needed, why }) => [
    '',
    text(needed),
    count === 1 || each === 1 ? name : `${countText(count)} ${name} x ${text(each)}`,
    why,
  ]);
  return `${what}\n${columns(rows)}`;
}

/** `short  open files: what follows`, and a line for each remedy. */
function adviceText({ verdict, what, why, remedies = [] }: Examined): string {
  const head = why === undefined ? `${verdict}  ${what}` : `${verdict}  ${what}: ${why}`;
  return `${[head, ...remedies.map((remedy) => `    ${remedy}`)].join('\n')}\n`;
}

const ORDER: readonly (readonly [Verdict, string])[] = [
  ['ok', 'ok'],
  ['short', 'short'],
  ['note', 'to note'],
  ['unknown', 'unknown'],
];

function summary(findings: readonly Examined[]): string {
  const counts = ORDER.map(([verdict, words]) => ({
    words,
    count: findings.filter((finding) => finding.verdict === verdict).length,
  }));
  return counts
    .filter(({ count }) => count > 0)
    .map(({ count, words }) => `${count} ${words}`)
    .join(', ');
}
