/** The limit: no proxy, clients reach the server behind all contenders. */
import { freePort } from '../../../test/support/ports.js';
import { startProgram } from '../../../test/support/process.js';
import { type Contender, UNKNOWN_START } from '../contender.js';

export const DIRECT = 'direct';

const none = { wrapper: [], options: [] };

/** `options`: of the program (bench/system/load/endpoint.cc). */
export async function startEndpoint(
  program: string,
  { wrapper, options }: Readonly<Record<'wrapper' | 'options', readonly string[]>> = none,
): Promise<Contender> {
  const port = await freePort();
  const [command = '', ...args] = [...wrapper, program, `${port}`, ...options];
  const { stop } = await startProgram(command, args, port);
  return { name: DIRECT, port, pid: null, start: UNKNOWN_START, stop };
}
