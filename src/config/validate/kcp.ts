/** Profiles of reliable UDP, with the keys that follow from their secrets; and who names them. */
import { resolve } from 'node:path';
import { kcptunPassOf, keyText, parseKey, parsePublicKey, pskOf, publicKeyOf } from '../../kcp/keys.js';
import {
  type KcpNoise,
  type KcpProfile,
  type KcpSecurity,
  type KcptunKey,
  openCrypts,
} from '../../model/kcp.js';
import { takesConnections } from '../../model/transports.js';
import { isMapping, type Path, valueAt } from '../path.js';
import type { Report, Warn } from '../report.js';
import { type KcpEntry, kcpTimes } from '../schema/kcp.js';
import type { ListenerEntry } from '../schema/listeners.js';
import type { Source } from '../source.js';
import { suggest } from '../suggest.js';
import type { Context } from './context.js';
import type { Reachability } from './reachability.js';
import type { Entry, Shape } from './shape.js';
import type { NamedUpstream } from './upstreams.js';

/** Each takes some 60 ms of the thread that reads the configuration. */
const PROFILES_MAX = 64;

/** Shorter ones are guessed by whoever has recorded a hello. */
const SECRET_LENGTH_ADVISED = 16;

type Named = Entry<KcpEntry> & { readonly name: string };

const namedOf = ({ kcp }: Shape): Named[] =>
  kcp.map((entry) => ({ ...entry, name: String(entry.path.at(-1)) }));

/** Those that are wrong (reported) are left out. */
export function resolveKcp(shape: Shape, source: Source, context: Context, report: Report): KcpProfile[] {
  const entries = namedOf(shape);
  if (entries.length > PROFILES_MAX)
    report.problem(['kcp'], `${entries.length} profiles are too many: at most ${PROFILES_MAX}`);
  return entries.slice(0, PROFILES_MAX).flatMap((entry) => {
    checkTimes(entry, report);
    checkFec(entry, report);
    const files = readKeys(entry, context, report);
    if (entry.value.wire === 'anyport') checkNoise(entry, report);
    else checkKcptun(entry, source, report);
    return report.isWrong(entry.path) ? [] : [profileOf(entry, files)];
  });
}

function checkTimes({ path, value }: Named, report: Report): void {
  const { heartbeat, dead_after } = timesOf(value);
  if (dead_after > heartbeat) return;
  const cure = 'let it be several times as long';
  report.problem(
    [...path, 'dead_after'],
    `is not longer than \`heartbeat\`, which is ${heartbeat} ms: ${cure}`,
  );
}

function timesOf({ wire, heartbeat, dead_after }: KcpEntry) {
  const { heartbeatMs, deadAfterMs } = kcpTimes[wire];
  return { heartbeat: heartbeat ?? heartbeatMs, dead_after: dead_after ?? deadAfterMs };
}

function checkFec({ path, value: { fec, wire } }: Named, report: Report): void {
  const problem = (key: string, message: string) => report.problem([...path, 'fec', key], message);
  if ((fec.data === 0) !== (fec.parity === 0)) {
    const [zero, other] = fec.data === 0 ? ['data', 'parity'] : ['parity', 'data'];
    problem(zero, `is 0 and \`${other}\` is not: write both as 0 for none`);
  }
  if (fec.adaptive && wire === 'kcptun') problem('adaptive', 'kcptun takes groups of one size: leave it out');
}

interface KeyFiles {
  readonly serverKey: Buffer | null;
  readonly privateKey: Buffer | null;
}

const KEY = 'a key in base64, as `anyport kcp-key` prints it';

function readKeys({ path, value }: Named, context: Context, report: Report): KeyFiles {
  const serverKey = value.server_key === '' ? null : parsePublicKey(value.server_key);
  if (value.server_key !== '' && serverKey === null)
    report.problem([...path, 'server_key'], `expected ${KEY}`);
  const privateKey =
    value.private_key_file === ''
      ? null
      : readPrivateKey([...path, 'private_key_file'], value.private_key_file, context, report);
  if (serverKey && privateKey && !publicKeyOf(privateKey).equals(serverKey)) {
    const own = keyText(publicKeyOf(privateKey));
    report.problem([...path, 'server_key'], `is not of the key in \`private_key_file\`, which is \`${own}\``);
  }
  return { serverKey, privateKey };
}

/** The content of the file is never shown. */
function readPrivateKey(path: Path, file: string, context: Context, report: Report): Buffer | null {
  const absolute = resolve(context.directory, file);
  const read = context.keyFile(absolute);
  if ('fault' in read) {
    report.problem(path, `${read.fault}: ${absolute}`);
    return null;
  }
  const key = parseKey(read.text.trim());
  if (key === null) report.problem(path, `has no key: expected one line with ${KEY}: ${absolute}`);
  return key;
}

function checkNoise({ path, value }: Named, report: Report): void {
  const { secret, cipher, insecure, server_key, private_key_file } = value;
  if (value.kcptun !== undefined)
    report.problem([...path, 'kcptun'], 'has no effect: write `wire: kcptun`, or leave it out');
  const key = server_key !== '' ? 'server_key' : 'private_key_file';
  if (secret === '' && (server_key !== '' || private_key_file !== ''))
    report.problem([...path, key], 'needs a `secret` too, which keeps strangers from asking');
  else if (secret === '' && !insecure)
    report.missing(
      path,
      'needs a `secret`, the same at both ends; `insecure: true` does without, and then anybody may be the other end',
    );
  if (cipher === 'none' && !insecure)
    report.problem(
      [...path, 'cipher'],
      '`none` neither hides nor protects what is sent: write `insecure: true` if that is meant, or another cipher',
    );
}

/** What belongs to the other wire would protect nothing here. */
const OF_NOISE = ['secret', 'cipher', 'server_key', 'private_key_file'] as const satisfies (keyof KcpEntry)[];

function checkKcptun({ path, value }: Named, { value: file }: Source, report: Report): void {
  const written = valueAt(file, path);
  for (const key of OF_NOISE.filter((name) => isMapping(written) && name in written))
    report.problem(
      [...path, key],
      'is for `wire: anyport`: kcptun has `kcptun: { key, crypt }`, leave it out',
    );
  const { kcptun, insecure } = value;
  if (kcptun === undefined || kcptun.key === '')
    return report.missing(
      [...path, 'kcptun'],
      "needs `key`, kcptun's `--key`: write `kcptun: { key: … }`",
      kcptun === undefined ? path : [...path, 'kcptun'],
    );
  if (openCrypts.includes(kcptun.crypt) && !insecure)
    report.problem(
      [...path, 'kcptun', 'crypt'],
      `\`${kcptun.crypt}\` hides nothing, and anybody may be the other end: write \`insecure: true\` if that is meant, or another one`,
    );
}

function profileOf({ name, value }: Named, files: KeyFiles): KcpProfile {
  const { heartbeat, dead_after } = timesOf(value);
  return {
    name,
    security: securityOf(value, files),
    mode: value.mode,
    mtu: value.mtu,
    sendWindow: value.send_window,
    receiveWindow: value.receive_window,
    fec: value.fec,
    heartbeatMs: heartbeat,
    deadAfterMs: dead_after,
    statusLogMs: value.status_log,
  };
}

function securityOf({ secret, cipher, kcptun }: KcpEntry, { serverKey, privateKey }: KeyFiles): KcpSecurity {
  if (kcptun !== undefined) {
    const { key, crypt, smux, compression } = kcptun;
    const pass = derived(kcptunPasses, key, kcptunPassOf);
    return { wire: 'kcptun', crypt, pass, smux: smux === 1 ? 1 : 2, compression } satisfies KcptunKey;
  }
  return {
    wire: 'anyport',
    cipher,
    psk: secret === '' ? null : derived(psks, secret, pskOf),
    serverKey: serverKey?.toString('hex') ?? null,
    privateKey: privateKey?.toString('hex') ?? null,
  } satisfies KcpNoise;
}

/** Of the last configuration that was read on this thread: a reload does not derive them again. */
const psks = new Map<string, string>();
const kcptunPasses = new Map<string, string>();

function derived(known: Map<string, string>, secret: string, derive: (secret: string) => Buffer): string {
  const key = known.get(secret) ?? derive(secret).toString('hex');
  if (known.size >= PROFILES_MAX) known.clear();
  known.set(secret, key);
  return key;
}

/** Whom profiles are for: their names, and what each may be used for. */
export class KcpNames {
  readonly #entries: ReadonlyMap<string, KcpEntry>;
  /** Those that are there, also the malformed ones. */
  readonly #names: readonly string[];
  readonly #report: Report;
  readonly #used = new Set<string>();

  constructor(shape: Shape, report: Report) {
    this.#entries = new Map(namedOf(shape).map(({ name, value }) => [name, value]));
    this.#names = shape.kcpNames;
    this.#report = report;
  }

  isUsed(name: string): boolean {
    return this.#used.has(name);
  }

  checkListener({ path, value }: Entry<ListenerEntry>): void {
    const { kcp, transport, address } = value;
    const problem = (key: string, message: string) => this.#report.problem([...path, key], message);
    if (kcp === undefined) {
      if (transport === 'kcp')
        this.#report.missing(path, `needs \`kcp\`, the name of a profile${this.#listed()}`);
      return;
    }
    if (transport === 'tcp') problem('kcp', 'needs datagrams: write `transport: kcp`, `udp` or `tcp+udp`');
    if (!takesConnections(value) && address.some(({ kind }) => kind === 'unix')) return; // told of with `transport`
    const profile = this.#find(kcp, [...path, 'kcp']);
    if (profile === null || profile.wire !== 'anyport') return;
    if (profile.server_key !== '' && profile.private_key_file === '')
      problem(
        'kcp',
        `\`${kcp}\` has \`server_key\`, which is for clients: a listener needs \`private_key_file\``,
      );
  }

  checkUpstream({ path, value }: NamedUpstream): void {
    const problem = (key: string, message: string) => this.#report.problem([...path, key], message);
    const { over, kcp, endpoints = [] } = value;
    if (over !== 'kcp') {
      if (kcp !== undefined && !this.#report.isWrong([...path, 'over']))
        problem('kcp', 'has no effect: write `over: kcp` too, or leave it out');
      return;
    }
    if (value.handler !== undefined) problem('over', 'has no effect: a handler serves in this process');
    if (kcp === undefined)
      return this.#report.missing(path, `needs \`kcp\`, the name of a profile${this.#listed()}`, [
        ...path,
        'over',
      ]);
    const unix = endpoints.findIndex(({ address: { address } }) => 'path' in address);
    if (unix >= 0)
      this.#report.problem(
        [...path, 'endpoints', unix],
        'takes no datagrams, and `over: kcp` sends them: write an address with a port',
      );
    if (value.health_check !== undefined)
      problem(
        'health_check',
        'has no effect with `over: kcp`: the heartbeat of the link is the check, and `passive_health` hears of failures',
      );
    if (value.pool.warm > 0)
      this.#report.problem(
        [...path, 'pool', 'warm'],
        'has no effect with `over: kcp`: sessions are streams of one link',
      );
    const source = sourceKeyOf(value);
    if (source !== null)
      this.#report.problem([...path, 'source', source], 'has no effect with `over: kcp`: leave it out');
    const profile = this.#find(kcp, [...path, 'kcp']);
    if (profile?.wire === 'anyport' && profile.private_key_file !== '' && profile.server_key === '')
      problem(
        'kcp',
        `\`${kcp}\` has \`private_key_file\`, which is for the server: a client needs \`server_key\``,
      );
  }

  /** Null: there is none, or it is wrong (reported). */
  #find(name: string, path: Path): KcpEntry | null {
    this.#used.add(name);
    if (!this.#names.includes(name))
      this.#report.problem(
        path,
        `unknown profile \`${name}\`${this.#names.length === 0 ? ': there is no section `kcp`' : suggest(name, this.#names)}`,
      );
    return this.#entries.get(name) ?? null;
  }

  #listed(): string {
    return this.#names.length === 0
      ? ' of a section `kcp`'
      : `: ${this.#names.map((name) => `\`${name}\``).join(', ')}`;
  }
}

/** What says where connections come from; null: nothing does. */
function sourceKeyOf({ source }: NamedUpstream['value']): string | null {
  if (source.address.length > 0) return 'address';
  if (source.interface !== '') return 'interface';
  return source.transparent ? 'transparent' : null;
}

/** Streams alone go through links. */
export function checkDatagramsOverKcp(
  upstreams: readonly NamedUpstream[],
  { upstreamsOver }: Reachability,
  report: Report,
): void {
  const reached = upstreamsOver('udp');
  for (const { name, path, value } of upstreams) {
    if (value.over !== 'kcp' || !reached.has(name)) continue;
    report.problem(
      [...path, 'over'],
      'a link carries streams alone, and datagrams come here too: send these to an upstream of their own',
    );
  }
}

export function warnOfKcp(shape: Shape, names: KcpNames, context: Context, warn: Warn): void {
  for (const { name, path, value } of namedOf(shape)) {
    if (!names.isUsed(name)) warn(path, 'has no effect: no listener and no upstream names it');
    const { secret, private_key_file: file } = value;
    if (secret !== '' && secret.length < SECRET_LENGTH_ADVISED)
      warn(
        [...path, 'secret'],
        `has fewer than ${SECRET_LENGTH_ADVISED} characters: who has recorded the beginning of a link may guess it; \`openssl rand -base64 24\` makes a good one`,
      );
    if (file === '') continue;
    const read = context.keyFile(resolve(context.directory, file));
    if ('isShared' in read && read.isShared)
      warn([...path, 'private_key_file'], 'may be read by other users of this machine: `chmod 600` it');
  }
}
