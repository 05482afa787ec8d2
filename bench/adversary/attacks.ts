/** The attacks as data: what attackers do, how the daemon is set up, how their sessions may end, what is to hold. */
import { ATTACKERS, drip, type Orders } from '../../test/support/attackers.js';
import type { TestConfig } from '../../test/support/daemon.js';
import type { LoadShape } from '../../test/support/steady.js';

export interface Attack {
  readonly name: string;
  readonly why: string;
  readonly orders: Orders;
  /** What they do before that, to be banned. */
  readonly before?: Orders;
  /** Keys of the daemon's listener. */
  readonly listener?: Readonly<Record<string, unknown>>;
  /** Sections of its configuration. */
  readonly config?: TestConfig;
  /** Command that runs the daemon, such as `prlimit`. */
  readonly wrapper?: readonly string[];
  /** Normal sessions, if not `normalLoad`. */
  readonly load?: LoadShape;
  /** How sessions of attackers may end. */
  readonly reasons: readonly string[];
  /** Upper bound of what normal sessions may notice, as a ratio to the quiet run. */
  readonly goal?: number;
  /** Every connection is refused before a byte is read: what that costs is told, beside HAProxy. */
  readonly flood?: true;
  /** Every connection is kept until it has been identified for too long. */
  readonly slow?: true;
  /** New sessions may be refused meanwhile; those that are open stay. */
  readonly refuses?: true;
  /** Bytes of resident memory that may stay after all rounds. */
  readonly keptMax?: number;
}

export const normalLoad: LoadShape = { rate: 1000, long: 64, intervalMs: 20 };

const SLOW = 2000;
const GOAL = 1.3;
const FULL_SPEED = 64;
const MIB = 1 << 20;
/** Of a refused connection, beside HAProxy's. */
export const refusalGoal = 0.9;

const late = ['identify_timeout', 'client_gone'];

const slow = (name: string, why: string, ...kinds: readonly (readonly [string, string])[]): Attack => ({
  name,
  why,
  orders: drip(SLOW, ...kinds),
  reasons: late,
  goal: GOAL,
  slow: true,
});

const flood = (name: string, why: string, security: object, reasons: readonly string[]): Attack => ({
  name,
  why: `${why}, ${FULL_SPEED} connections at once, as fast as cores are left`,
  orders: ['knock', FULL_SPEED, 0],
  config: { security },
  reasons,
  goal: GOAL,
  flood: true,
});

const floods = (): Attack[] => [
  flood('flood-denied', 'sources of the blacklist', { ip_blacklist: [ATTACKERS] }, ['denied']),
  {
    ...flood(
      'flood-banned',
      'sources that the guard has banned',
      {
        enable_ddos_guard: true,
        ddos_guard: { threshold: 20, ban: '1h' },
        ip_whitelist: ['127.0.0.0/24'], // normal clients, who come more often than that
      },
      ['banned'],
    ),
    before: ['garbage', FULL_SPEED, 10_000], // 40 times each
  },
];

/** `openings`: of each run of garbage. */
export function attacks(openings: number): Attack[] {
  return [
    slow(
      'slow-drip',
      `${SLOW} clients that send a request, a hello or a command byte by byte, one a second`,
      ['GET /', 'a'],
      ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', '\0'],
      ['*1\r\n$9', '9'],
    ),
    slow(
      'slow-silent',
      `${SLOW} clients that send a valid prefix and then nothing`,
      ['GET / HTTP/1.1\r\nHost: ', ''],
      ['*1\r\n', ''],
      ['', ''],
    ),
    {
      ...slow(
        'slow-proxy',
        `${SLOW} clients that are trusted with PROXY headers and trickle them, versions 1 and 2`,
        ['PROXY TCP4 192.0.2.', '1'],
        ['\r\n\r\n\0\r\nQUIT\n\x21\x11\x10\0', '\x04'],
      ),
      listener: { proxy_protocol: { accept: true, trusted: [ATTACKERS] } },
      reasons: [...late, 'rejected'],
    },
    ...floods(),
    {
      name: 'garbage',
      why: `${openings} openings of random bytes a round, ${FULL_SPEED} at once, as fast as cores are left`,
      orders: ['garbage', FULL_SPEED, openings],
      reasons: ['unknown_protocol'],
      keptMax: 2 * MIB,
    },
    {
      name: 'descriptors',
      why: `a limit of 256 open files, and ${SLOW} clients that send a prefix and come back when they are reset`,
      orders: drip(SLOW, ['GET /', '']),
      wrapper: ['prlimit', '--nofile=256'],
      load: { rate: 100, long: 16, intervalMs: 5 }, // the limit leaves places for a few dozen sessions
      reasons: [...late, 'over_limit'],
      refuses: true,
    },
  ];
}
