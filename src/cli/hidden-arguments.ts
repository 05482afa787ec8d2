/**
 * Secrets among the arguments: `ps` and /proc/PID/cmdline show them to every user of the machine. Setting the title
 * overwrites the kernel's copy; until then, some 50 ms, they can be read.
 */

const SECRET = '--token';

export function hideSecretArguments(): void {
  const [, , ...args] = process.argv;
  if (!args.some((arg) => arg === SECRET || arg.startsWith(`${SECRET}=`))) return;
  process.title = ['anyport', ...args.map((arg, index) => shown(arg, args[index - 1]))].join(' ');
}

function shown(arg: string, before: string | undefined): string {
  if (before === SECRET) return '***';
  return arg.startsWith(`${SECRET}=`) ? `${SECRET}=***` : arg;
}
