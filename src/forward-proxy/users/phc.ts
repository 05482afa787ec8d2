/**
 * Hashes of passwords as PHC strings of scrypt (RFC 7914): `$scrypt$ln=15,r=8,p=1$SALT$HASH`, where ln is the binary
 * logarithm of N, and salt and hash are base64 without padding.
 */

/** Costs of scrypt: memory is 128 · 2^ln · r bytes, time grows with 2^ln · r · p. */
export interface Costs {
  readonly ln: number;
  readonly r: number;
  readonly p: number;
}

export interface PasswordHash extends Costs {
  readonly salt: Buffer;
  readonly hash: Buffer;
}

export const hashLimits = {
  /** 2^ln · r · p: what whoever has the hash pays at least for a guess, some 40 ms. */
  workMin: 2 ** 17,
  /** The same, what each login costs us at most: some 0.6 s. */
  workMax: 2 ** 21,
  /** Of each computation. */
  memoryBytesMax: 64 * 1024 ** 2,
  saltBytesMin: 8,
  saltBytesMax: 64,
  hashBytesMin: 16,
  hashBytesMax: 64,
} as const;

const PHC = /^\$scrypt\$ln=(\d{1,2}),r=(\d{1,3}),p=(\d{1,3})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

const CURE = '`anyport hash-password` makes one';

/** What other programs write, by how it begins. */
const FOREIGN: readonly (readonly [RegExp, string])[] = [
  [/^\$2[abxy]?\$/, 'bcrypt'],
  [/^\$apr1\$/, 'MD5 (Apache)'],
  [/^\$1\$/, 'MD5 (crypt)'],
  [/^\$5\$/, 'SHA-256 (crypt)'],
  [/^\$6\$/, 'SHA-512 (crypt)'],
  [/^\$(?:gy|y|7)\$/, 'yescrypt'],
  [/^\$argon2/, 'Argon2'],
  [/^\$pbkdf2/, 'PBKDF2'],
  [/^\{/, 'LDAP'],
];

/** A fault has nothing of the text: it may be a password. */
export function parseHash(text: string): PasswordHash | { readonly fault: string } {
  const [, ln, r, p, salt = '', hash = ''] = PHC.exec(text) ?? [];
  if (ln === undefined) return { fault: foreignFault(text) };
  const costs = { ln: Number(ln), r: Number(r), p: Number(p) };
  const parsed = { ...costs, salt: bytesOf(salt), hash: bytesOf(hash) };
  const fault = costFault(costs) ?? lengthFault(parsed);
  return fault === null ? parsed : { fault };
}

export const hashText = ({ ln, r, p, salt, hash }: PasswordHash): string =>
  `$scrypt$ln=${ln},r=${r},p=${p}$${textOf(salt)}$${textOf(hash)}`;

export const memoryOf = ({ ln, r }: Costs): number => 128 * 2 ** ln * r;

/** Why costs are not accepted; null: they are. */
function costFault(costs: Costs): string | null {
  const { ln, r, p } = costs;
  const work = 2 ** ln * r * p;
  const shown = `ln=${ln},r=${r},p=${p}`;
  if (memoryOf(costs) > hashLimits.memoryBytesMax || work > hashLimits.workMax)
    return `costs too much for every login (${shown}): at most ln=16,r=8,p=4`;
  return work < hashLimits.workMin ? `is guessed too cheaply (${shown}): at least ln=14,r=8,p=1` : null;
}

function foreignFault(text: string): string {
  if (text.startsWith('$scrypt$'))
    return `is not written as hashes of scrypt are, \`$scrypt$ln=15,r=8,p=1$SALT$HASH\`: ${CURE}`;
  const [, foreign] = FOREIGN.find(([pattern]) => pattern.test(text)) ?? [];
  return foreign === undefined
    ? `is no hash: ${CURE}`
    : `is a hash of ${foreign}, and has to be one of scrypt: ${CURE}`;
}

function lengthFault({ salt, hash }: PasswordHash): string | null {
  const { saltBytesMin, saltBytesMax, hashBytesMin, hashBytesMax } = hashLimits;
  if (salt.length < saltBytesMin || salt.length > saltBytesMax)
    return `has a salt of ${salt.length} bytes: ${saltBytesMin} to ${saltBytesMax}`;
  if (hash.length < hashBytesMin || hash.length > hashBytesMax)
    return `has a hash of ${hash.length} bytes: ${hashBytesMin} to ${hashBytesMax}`;
  return null;
}

const bytesOf = (base64: string): Buffer => Buffer.from(base64, 'base64');
const textOf = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '');
