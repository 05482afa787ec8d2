/** A network behind a delay (slow-network.py). Needs root. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';

export interface SlowNetwork {
  /** Of whatever listens there. */
  readonly host: string;
  /** Starts a program there. */
  spawn(command: string, args: readonly string[]): ChildProcess;
  stop(): Promise<void>;
}

/** `delayMs`: each way. */
export async function startSlowNetwork(delayMs: number): Promise<SlowNetwork> {
  const index = 1 + (process.pid % 250);
  const script = `${import.meta.dirname}/slow-network.py`;
  const child = spawn('python3', [script, String(index), String(delayMs)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const [line] = (await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(() => Promise.reject(new Error('there is no slow network'))),
  ])) as [Buffer];
  const pid = line.toString().trim();
  const programs: ChildProcess[] = [];
  return {
    host: `10.77.${index}.2`,
    spawn(command, args) {
      const program = spawn('nsenter', ['-t', pid, '-n', command, ...args], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      programs.push(program);
      return program;
    },
    async stop() {
      for (const program of programs) program.kill('SIGKILL');
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}
