/** The limit: no proxy, clients reach the server behind all contenders. */
import { freePort } from '../../../test/support/ports.js';
import { startProgram } from '../../../test/support/process.js';
import { type Contender, UNKNOWN_START } from '../contender.js';

export const DIRECT = 'direct';

export async function startEndpoint(program: string, wrapper: readonly string[] = []): Promise<Contender> {
  const port = await freePort();
  const [command = '', ...args] = [...wrapper, program, `${port}`];
  const { stop } = await startProgram(command, args, port);
  return { name: DIRECT, port, pid: null, start: UNKNOWN_START, stop };
}
