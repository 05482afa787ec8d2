/** `anyport run`: the daemon in the foreground. */
import { type Command, InvalidArgumentError } from 'commander';
import { version } from '../../base/version.js';
import { DEFAULT_FILE } from '../../config/default.js';
import type { Flags, ForwardFlag } from '../../config/flags.js';
import { formatProblem } from '../../config/report.js';
import { loadAsideOrFail, loadOrFail, summary } from '../configuration.js';
import { BAD_USAGE, Failure } from '../failure.js';
import { FirstContributions } from '../first-contributions.js';
import { isDebuggerWanted } from '../no-debugger.js';
import { sourceOf } from '../source.js';

type Route = NonNullable<Flags['route']>[number];

interface RunOptions extends Flags {
  readonly config?: string;
  readonly check?: true;
  readonly allowRoot?: boolean;
}

const EXAMPLES = `
Without a file, --route and --forward it serves a demonstration on 127.0.0.1:9090, or where --listen says.

Examples:
  anyport run --listen :443 --route ssh=127.0.0.1:22 --route tls=127.0.0.1:8443
  anyport run --forward 2222=10.0.0.5:22 --forward 10000-10099=10.0.0.7
  anyport run -c /etc/anyport.yaml --workers 4`;

export function addRun(program: Command): void {
  program
    .command('run')
    .description('run the daemon in the foreground')
    .option('-c, --config <file>', `configuration (default: ${DEFAULT_FILE}, if there is one)`)
    .option('--listen <address>', 'listen here instead of `server.listen` (repeatable)', append<string>)
    .option(
      '--route <name=host:port>',
      'relay this protocol there (repeatable; the same name again adds an endpoint)',
      appendRoute,
    )
    .option(
      '--forward <listen[/scheme]=target>',
      'pass a port or a range on, nothing is identified; scheme: tcp, udp or tcp+udp (repeatable; the same one again adds an endpoint)',
      appendForward,
    )
    .option('--workers <n|auto>', 'worker threads')
    .option('--accept <mode>', 'reuseport or handoff')
    .option('--max-connections <n>', 'sessions at once')
    .option('--log-level <level>', 'trace, debug, info, warn, error, fatal or silent')
    .option('--log-format <format>', 'auto, json or pretty')
    .option('--admin <address>', 'serve the control interface here instead of `admin.listen`')
    .option('--allow-root', 'run handlers and validators as root, if nobody else is named by `server.user`')
    .option('--check', 'check the configuration and exit')
    .addHelpText('after', EXAMPLES)
    .action(run);
}

async function run({ config: file, check, allowRoot = false, ...flags }: RunOptions): Promise<void> {
  if (check) {
    process.stdout.write(summary(await loadOrFail(file, flags)));
    return;
  }
  if (process.platform !== 'linux') {
    throw new Failure(`anyport runs on Linux only (epoll, splice); this is ${process.platform}`, BAD_USAGE);
  }
  // Loads the native addon, which other commands do not need, in parallel to reading the configuration.
  const daemon = import('../run/process.js');
  daemon.catch(() => {}); // problems of the configuration are reported first
  const readAtMs = Date.now();
  const bare = await loadAsideOrFail(file, flags);
  const request = { file: file ?? null, flags, environment: { ...process.env } };
  const source = sourceOf(bare, request);
  const others = new FirstContributions(request, source);
  const loaded = await others.beside(bare);
  const { exitNow, runDaemon, whyNotAs } = await daemon;
  if (isDebuggerWanted) refuseDebuggerOfRoot(allowRoot);
  const refusal = await whyNotAs(loaded.config, allowRoot);
  if (refusal !== null) throw new Failure(refusal, BAD_USAGE);
  exitNow(
    await runDaemon(loaded.config, {
      version,
      warnings: [
        ...(isDebuggerWanted ? [DEBUGGER] : []),
        ...loaded.warnings.map(formatProblem),
        ...others.warnings,
      ],
      demo: loaded.demo,
      source,
      without: (listener) => others.without(listener),
      allowRoot,
      origin: { files: loaded.files, readAtMs },
    }),
  );
}

const DEBUGGER =
  "Node's debugger is open (`--inspect`, perhaps in NODE_OPTIONS): whoever reaches it runs code as this process";

function refuseDebuggerOfRoot(allowRoot: boolean): void {
  if (allowRoot || process.geteuid?.() !== 0) return;
  throw new Failure(`${DEBUGGER}, which root started: leave it out, or say \`--allow-root\``, BAD_USAGE);
}

function append<Value>(value: Value, before: readonly Value[] | undefined): readonly Value[] {
  return [...(before ?? []), value];
}

function appendRoute(text: string, before: readonly Route[] | undefined): readonly Route[] {
  const [name = '', ...rest] = text.split('=');
  const target = rest.join('=');
  if (name === '' || target === '') {
    throw new InvalidArgumentError('Write NAME=HOST:PORT, for instance ssh=127.0.0.1:22.');
  }
  return append({ name, target }, before);
}

const FORWARD_FORM = 'Write LISTEN[/tcp|/udp|/tcp+udp]=HOST:PORT, for instance 7878/tcp+udp=10.0.0.7:3478.';

/** A path of a unix socket has slashes of its own, and no scheme behind it. */
function appendForward(text: string, before: readonly ForwardFlag[] | undefined): readonly ForwardFlag[] {
  const [written = '', ...rest] = text.split('=');
  const target = rest.join('=');
  const slash = written.startsWith('unix:') ? -1 : written.indexOf('/');
  const listen = slash < 0 ? written : written.slice(0, slash);
  if (listen === '' || target === '') throw new InvalidArgumentError(FORWARD_FORM);
  return append({ listen, target, ...(slash >= 0 && { scheme: written.slice(slash + 1) }) }, before);
}
