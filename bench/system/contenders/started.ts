/** A proxy of one process, started on a free port with what it is configured by. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { freePort } from '../../../test/support/ports.js';
import { cpuNanosecondsEver } from '../../../test/support/proc.js';
import { startProgram } from '../../../test/support/process.js';
import { tempFolder } from '../../../test/support/temp.js';
import type { Contender } from '../contender.js';

export interface Program {
  readonly name: string;
  readonly wrapper?: readonly string[] | undefined;
  /** Text of its configuration, if it has one. `folder`: its own, until it is stopped. */
  configure?(port: number, folder: string): string;
  command(port: number, file: string): readonly string[];
  /** Whether it writes an access log. */
  readonly logs?: boolean | undefined;
}

const LINE_FEED = 0x0a;
const linesIn = (bytes: Buffer): number => bytes.reduce((sum, byte) => sum + (byte === LINE_FEED ? 1 : 0), 0);

/** Access log of a program that does not write it to its standard output. */
export const logFile = (folder: string): string => `${folder}/access.log`;

/** The lines of its access log are counted. */
export async function started({
  name,
  wrapper = [],
  configure,
  command,
  logs = false,
}: Program): Promise<Contender> {
  const folder = tempFolder();
  const port = await freePort();
  const file = `${folder.path}/configuration`;
  if (configure) writeFileSync(file, configure(port, folder.path));
  const [program = '', ...args] = [...wrapper, ...command(port, file)];
  const running = await startProgram(program, args, port, { stdio: ['ignore', 'pipe', 'pipe'] });
  let told = 0;
  running.child.stdout?.on('data', (bytes: Buffer) => {
    told += linesIn(bytes);
  });
  const log = logFile(folder.path);
  const books = async () => ({ lines: told + (existsSync(log) ? linesIn(readFileSync(log)) : 0) });
  const stop = async () => {
    await running.stop();
    folder.remove();
  };
  const start = { cpuNanoseconds: cpuNanosecondsEver(running.pid), seconds: NaN };
  return { name, port, pid: running.pid, start, ...(logs && { books }), stop };
}
