/**
 * False positives: 50,000 seeded openings that no client would send, against all built-in protocols of the transport.
 * The limits follow from the certain bits (src/protocols/certainty.ts) or are given with a reason.
 */
import { describe, expect, test } from 'vitest';
import type { Transport } from '../../src/model/protocol.js';
import { certainBits } from '../../src/protocols/certainty.js';
import { protocolById, recognizersFor } from '../../src/protocols/index.js';
import { flights } from '../cases/flights.js';
import { createRandom, type Random } from '../support/random.js';
import { classifierOf, engines } from './engines.js';

const recognizers = { tcp: recognizersFor('tcp'), udp: recognizersFor('udp') } as const;
const classifiers = {
  tcp: classifierOf(engines.addon, recognizers.tcp),
  udp: classifierOf(engines.addon, recognizers.udp),
} as const;

/** The protocol identified when nothing more follows. */
function nameOf(bytes: Uint8Array, transport: Transport): string | null {
  const { protocol } = classifiers[transport](bytes, { ended: true });
  return recognizers[transport][protocol]?.id ?? null;
}

/** Certain bits by protocol and transport. */
const bits = new Map(
  (['tcp', 'udp'] as const).flatMap((transport) =>
    recognizers[transport].map((each) => [`${each.id} ${transport}`, certainBits(each, transport)] as const),
  ),
);

/** Below this, noise is likely to match. */
const bitsMin = 24;

/** Protocols whose clients send no more before they wait, with their certain bits. */
const short: Readonly<Record<string, number>> = {
  'minecraft tcp': 15, // legacy ping: FE 01
  'telnet tcp': 17, // IAC, a verb, an option
  'coap udp': 18, // shortest request: type and token length, method, message id
  'socks5 tcp': 20, // 05 01 00
  'coap tcp': 20, // length, 7.01, an option
  'syslog tcp': 21, // <1> and a text
  'syslog udp': 21,
  'socks4 tcp': 22, // 04 01, any port and address, an empty user
};

test.each([...bits])('%s: certain bits', (name, certain) => {
  expect(certain).toBeGreaterThanOrEqual(short[name] ?? bitsMin);
  if (name in short) expect(certain, 'not short any more').toBeLessThan(bitsMin);
});

const noise = (length: number, random: Random): Buffer =>
  Buffer.from(Array.from({ length }, () => random(256)));

const pick = <T>(list: readonly T[], random: Random): T => list[random(list.length)] as T;

const streamBytesMax = 600;
const datagramBytesMax = 1472;

/** A length field in a common form, then as many bytes. */
function frame(random: Random): Buffer {
  const body = noise(random(400), random);
  const length = body.length + pick([0, 0, 0, 1, 2, 4], random);
  const head = Buffer.alloc(4);
  const forms = [
    () => Buffer.of(Math.min(length, 255)),
    () => head.subarray(0, head.writeUInt16BE(length)),
    () => head.subarray(0, head.writeUInt16LE(length)),
    () => head.subarray(0, head.writeUIntBE(length, 0, 3)),
    () => head.subarray(0, head.writeUInt32BE(length)),
    () => head.subarray(0, head.writeUInt32LE(length)),
    () => (length < 128 ? Buffer.of(length) : Buffer.of(0x80 | (length & 0x7f), length >> 7)),
  ];
  return Buffer.concat([pick(forms, random)(), body]);
}

/** Nested TLVs, some with small values, as in binary protocols. */
function values(random: Random): Buffer {
  const parts = Array.from({ length: 1 + random(6) }, () => {
    const value = random(2) ? noise(random(24), random) : Buffer.alloc(random(9), random(3));
    return random(2)
      ? Buffer.concat([Buffer.of(random(64), value.length), value])
      : Buffer.concat([Buffer.of(0, random(64), 0, value.length), value]);
  });
  return Buffer.concat(parts);
}

const letters = 'etaoinshrdlucmfwypvbgkjqxz';
const word = (random: Random): string =>
  Array.from({ length: 1 + random(9) }, () => letters[Math.min(random(26), random(26))]).join('');

/** Lines as people and unknown programs write them: words, numbers, paths, punctuation. */
function line(random: Random): Buffer {
  const pieces = [
    () => word(random),
    () => word(random).toUpperCase(),
    () => String(random(100_000)),
    () => `/${word(random)}/${word(random)}`,
    () => `${word(random)}=${word(random)}`,
    () => `${word(random)}:`,
    () => pick(['-', '*', '$', '{', '<', '[', '"', '#', '>', '@'], random) + word(random),
  ];
  const text = Array.from({ length: 1 + random(7) }, () => pick(pieces, random)()).join(' ');
  return Buffer.from(text + pick(['\r\n', '\n', '\n\n', ''], random));
}

/** Redis commands that take a number or a keyword. */
const typed =
  'SELECT EXPIRE WAIT MOVE LINDEX INCRBY ZADD EVAL SCAN LRANGE SETEX HSCAN COPY XREAD CONFIG'.split(' ');

/** A sentence that starts with such a command. */
function sentence(random: Random): Buffer {
  const command = pick(typed, random);
  const words = Array.from({ length: 2 + random(5) }, () => `${word(random)}x`);
  return Buffer.from(
    [random(2) ? command : command.toLowerCase(), ...words].join(' ') + pick(['\r\n', '\n'], random),
  );
}

const real = {
  tcp: flights.filter(({ transport, bytes }) => transport === 'tcp' && bytes.length > 2),
  udp: flights.filter(({ transport, bytes }) => transport === 'udp' && bytes.length > 2),
} as const;

interface Opening {
  readonly bytes: Buffer;
  /** The protocol that it starts like: that name and its refinements are not false positives. */
  readonly own: string | null;
}

const anonymous = (bytes: Buffer): Opening => ({ bytes, own: null });

/** A valid first byte, then noise. */
function begun(random: Random, transport: Transport): Opening {
  const { bytes } = pick(real[transport], random);
  return anonymous(Buffer.concat([bytes.subarray(0, 1), noise(random(streamBytesMax), random)]));
}

/** A truncated recorded opening; half of them continue with the tail of another one. */
function spliced(random: Random, transport: Transport): Opening {
  const front = pick(real[transport], random);
  const back = pick(real[transport], random);
  const kept = front.bytes.subarray(0, 1 + random(Math.min(front.bytes.length, 80)));
  const tail = random(2) ? back.bytes.subarray(random(back.bytes.length)) : Buffer.alloc(0);
  const own = nameOf(front.bytes, transport) ?? String(front.attrs.of ?? front.label);
  return { bytes: Buffer.concat([kept, tail]).subarray(0, 2048), own };
}

interface Kind {
  readonly why: string;
  readonly transport: Transport;
  readonly count: number;
  readonly make: (random: Random) => Opening;
  /** Upper bound on false positives. */
  readonly allowed: number;
}

const kinds: readonly Kind[] = [
  {
    why: 'random bytes',
    transport: 'tcp',
    count: 10_000,
    make: (random) => anonymous(noise(random(streamBytesMax), random)),
    allowed: byChance('tcp', 10_000),
  },
  {
    why: 'random datagrams',
    transport: 'udp',
    count: 8000,
    make: (random) => anonymous(noise(random(datagramBytesMax), random)),
    allowed: byChance('udp', 8000),
  },
  {
    // Small lengths; a length of 254 looks like the legacy Minecraft ping.
    why: 'frames',
    transport: 'tcp',
    count: 6000,
    make: (random) => anonymous(frame(random)),
    allowed: 15,
  },
  { why: 'frames', transport: 'udp', count: 3000, make: (random) => anonymous(frame(random)), allowed: 1 },
  {
    // A SOCKS 5 hello is a type, a length and small values.
    why: 'values',
    transport: 'tcp',
    count: 3000,
    make: (random) => anonymous(values(random)),
    allowed: 8,
  },
  {
    // An NTP control query is small numbers and zeros.
    why: 'values',
    transport: 'udp',
    count: 3000,
    make: (random) => anonymous(values(random)),
    allowed: 8,
  },
  {
    // One or two words may be a command: TTL of Redis, ID of IMAP.
    why: 'lines',
    transport: 'tcp',
    count: 4000,
    make: (random) => anonymous(line(random)),
    allowed: 5,
  },
  {
    // COPY takes any two words.
    why: 'sentences that begin with a command of Redis',
    transport: 'tcp',
    count: 1000,
    make: (random) => anonymous(sentence(random)),
    allowed: 25,
  },
  { why: 'lines', transport: 'udp', count: 1000, make: (random) => anonymous(line(random)), allowed: 0 },
  {
    // With its first byte given, Telnet has ten certain bits left.
    why: 'the first byte of a protocol, then noise',
    transport: 'tcp',
    count: 5000,
    make: (random) => begun(random, 'tcp'),
    allowed: 3,
  },
  {
    why: 'the first byte of a protocol, then noise',
    transport: 'udp',
    count: 2000,
    make: (random) => begun(random, 'udp'),
    allowed: 2,
  },
  {
    // A splice may be a valid command: FTP's AUTH followed by another word is also Redis'.
    why: 'cut and spliced',
    transport: 'tcp',
    count: 3000,
    make: (random) => spliced(random, 'tcp'),
    allowed: 15,
  },
  {
    why: 'cut and spliced',
    transport: 'udp',
    count: 1000,
    make: (random) => spliced(random, 'udp'),
    allowed: 5,
  },
];

/** Expected false positives from the certain bits, plus four standard deviations and one. */
function byChance(transport: Transport, count: number): number {
  const expected = recognizers[transport].reduce(
    (sum, { id }) => sum + count * 2 ** -(bits.get(`${id} ${transport}`) ?? 0),
    0,
  );
  return Math.ceil(expected + 4 * Math.sqrt(expected) + 1);
}

const isFalse = (name: string | null, own: string | null): boolean =>
  name !== null &&
  name !== own &&
  protocolById(name)?.refines !== own &&
  protocolById(own ?? '')?.refines !== name;

function falseNames({ transport, count, make }: Kind, seed: number): string[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => make(random)).flatMap(({ bytes, own }) => {
    const name = nameOf(bytes, transport);
    return isFalse(name, own) ? [`${name}: ${bytes.subarray(0, 40).toString('hex')} (${own})`] : [];
  });
}

const allowedOfAll = 100;

test('50,000 in all, of which 100 may have a name', () => {
  expect(kinds.reduce((sum, { count }) => sum + count, 0)).toBe(50_000);
  expect(kinds.reduce((sum, { allowed }) => sum + allowed, 0)).toBeLessThanOrEqual(allowedOfAll);
});

describe.each(kinds)('$why, $transport', (kind) => {
  test(`at most ${kind.allowed} of ${kind.count} have a name`, () => {
    const names = falseNames(kind, 1 + kinds.indexOf(kind));
    expect(names.length, names.join('\n')).toBeLessThanOrEqual(kind.allowed);
  });
});
