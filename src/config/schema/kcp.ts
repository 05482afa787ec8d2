/** `kcp.NAME`: profiles of reliable UDP. */
import { z } from 'zod';
import {
  KCP_WINDOW_MAX,
  kcpCiphers,
  kcpModeNames,
  kcpModes,
  kcpMtuLimits,
  kcptunCrypts,
  kcpWires,
} from '../../model/kcp.js';
import { expectedGot } from '../messages.js';
import { suggest } from '../suggest.js';
import {
  choice,
  duration,
  flag,
  integer,
  mapping,
  optionalDuration,
  section,
  text,
  unknownKey,
} from './fields.js';

const MODE_EXAMPLE = '{ nodelay: true, interval: 10ms, resend: 2, nc: true }';
const modeValues = `${kcpModeNames.map((name) => `\`${name}\``).join(', ')}, or a mapping such as \`${MODE_EXAMPLE}\``;

const namedMode = choice(kcpModeNames, '').transform((name) => kcpModes[name]);

const ownMode = mapping(
  {
    nodelay: flag(false, 'Timeouts grow by half of the first one each time, instead of by all of it'),
    interval: duration(
      '30ms',
      'With `wire: kcptun` the time between two flushes, for which acknowledgements wait; else the least time until a segment is sent again because nothing was heard of it, 30 ms or more',
      { min: '10ms', max: '5s' },
    ),
    resend: integer(
      'Later segments that arrive before one that is missing is sent again; 0: only when its time is over',
      0,
      64,
    ).default(2),
    nc: flag(true, 'No congestion window: loss does not slow the link down'),
  },
  MODE_EXAMPLE,
).transform(({ interval: intervalMs, ...mode }) => ({ ...mode, intervalMs }));

const wrongMode = (input: unknown): string =>
  typeof input === 'string'
    ? `unknown value \`${input}\`${suggest(input, kcpModeNames)}`
    : expectedGot(modeValues, input);

const mode = z
  .union([namedMode, ownMode], { error: ({ input }) => wrongMode(input) })
  .prefault('fast')
  .meta({
    description:
      'How eagerly segments are sent again, as in kcptun: `normal` (interval 40 ms), `fast` (30 ms), `fast2` (20 ms, `nodelay`), `fast3` (10 ms, `nodelay`)',
    'x-values': modeValues,
  });

const fec = section(
  {
    data: integer('Segments of a group', 0, 128).default(10),
    parity: integer(
      'Parity segments that follow each group: so many lost ones of it are made up for at once',
      0,
      64,
    ).default(3),
    adaptive: flag(
      false,
      'The parity follows the loss that is measured, up to `parity`; without loss there is none. Not with `wire: kcptun`',
    ),
  },
  'Forward error correction (Reed-Solomon) of what this end sends; the other end may have another. `{ data: 0, parity: 0 }`: none.',
  '{ data: 10, parity: 3 }',
);

const KCPTUN_EXAMPLE = '{ key: …, crypt: aes }';

const wrongKcptunKey = (key: string, known: readonly string[]): string =>
  key.toLowerCase().startsWith('qpp')
    ? `\`${key}\`: QPP is not spoken here: leave it out, and run kcptun without \`--QPP\``
    : unknownKey(key, known);

const kcptunKeys = {
  key: text("kcptun's `--key`", 'text').default(''),
  crypt: choice(kcptunCrypts, "kcptun's `--crypt`").default('aes'),
  smux: integer("kcptun's `--smuxver`: 1 by default in releases up to 2021, such as Debian's", 1, 2).default(
    1,
  ),
  compression: flag(
    true,
    'Off with `--nocomp`. What kcptun has compressed is read; nothing is compressed here',
  ),
};

const kcptun = mapping(kcptunKeys, KCPTUN_EXAMPLE, (key) =>
  wrongKcptunKey(key, Object.keys(kcptunKeys)),
).meta({ description: 'What the kcptun at the other end is told; with `wire: kcptun`.' });

const window = (meaning: string) => integer(`${meaning}, in segments`, 1, KCP_WINDOW_MAX).default(1024);

/** Of both wires, in milliseconds: what `heartbeat` and `dead_after` are unless written. */
export const kcpTimes = {
  anyport: { heartbeatMs: 3000, deadAfterMs: 15_000 },
  kcptun: { heartbeatMs: 10_000, deadAfterMs: 30_000 },
} as const;

export const kcp = mapping(
  {
    wire: choice(
      kcpWires,
      '`anyport`: between two anyports, authenticated and encrypted. `kcptun`: as a client or a server of kcptun',
    ).default('anyport'),
    secret: text(
      'What both ends know and nobody else; better long and random (`openssl rand -base64 24`)',
    ).default(''),
    cipher: choice(
      kcpCiphers,
      'How what is sent is encrypted and authenticated; the same at both ends. `none` needs `insecure`',
    ).default('chacha20-poly1305'),
    server_key: text(
      'At a client: the public key of the server, as `anyport kcp-key` prints it. Others who know the secret can not pretend to be the server then',
      'key in base64',
    ).default(''),
    private_key_file: text(
      'At a server: file with its private key, as `anyport kcp-key` writes it',
      'path',
    ).default(''),
    insecure: flag(false, 'Accept a profile without `secret`, or with a cipher that protects nothing'),
    mode,
    mtu: integer(
      'Size of the datagrams, as UDP payload in bytes: 28 less than what the path carries over IPv4, 48 over IPv6. Between two anyports the smaller of theirs',
      kcpMtuLimits.min,
      kcpMtuLimits.max,
    ).default(1350),
    send_window: window('Upper bound on what is sent and not acknowledged'),
    receive_window: window('Upper bound on what has arrived and is not read'),
    fec: fec.prefault({}),
    heartbeat: optionalDuration(
      'Silence after which an end says that it is there. Without it `3s`, or `10s` with `wire: kcptun`',
      { min: '100ms', max: '1h' },
    ),
    dead_after: optionalDuration(
      'Silence after which the other end is given up, and its sessions end. Without it `15s`, or `30s` with `wire: kcptun`',
      { min: '500ms', max: '24h' },
    ),
    status_log: duration('0s', 'Time between two log lines about each link (`kcp link`); `0s`: none', {
      min: '0s',
      max: '24h',
    }).refine((ms) => ms === 0 || ms >= 1000, { error: 'expected `0s`, or at least 1s' }),
    kcptun: kcptun.optional(),
  },
  '{ secret: … }',
);

export type KcpEntry = z.output<typeof kcp>;
