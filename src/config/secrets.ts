/**
 * Secrets of a document: veiled where it is shown; a veil that comes back stands for the secret in force, so that a
 * document can be read, edited and sent back.
 */
import type { Document, Problem } from '../model/config.js';
import { findAll, type Path, pathText, withValue } from './path.js';
import { unplaced } from './report.js';
import { CREDENTIALS, secretKeys, secretUrls, VEIL } from './secret-keys.js';

interface Secret {
  readonly path: Path;
  readonly value: string;
  readonly veiled: string;
}

function secretsOf(document: Document): Secret[] {
  const texts = (pattern: string) =>
    findAll(document, pattern).flatMap(({ path, value }) =>
      typeof value === 'string' && value !== '' ? [{ path, value }] : [],
    );
  return [
    ...secretKeys.flatMap(texts).map((found) => ({ ...found, veiled: VEIL })),
    ...secretUrls
      .flatMap(texts)
      .filter(({ value }) => CREDENTIALS.test(value))
      .map((found) => ({ ...found, veiled: found.value.replace(CREDENTIALS, `$1${VEIL}@`) })),
  ];
}

export function veilSecrets(document: Document): Document {
  return secretsOf(document).reduce(
    (at, { path, veiled }) => withValue(at, path, veiled) as Document,
    document,
  );
}

export interface Unveiled {
  readonly document: Document;
  /** Veils that stand for no secret in force. */
  readonly problems: readonly Problem[];
}

/** With the secrets of `running` where the document has their veils. */
export function unveilSecrets(document: Document, running: Document): Unveiled {
  const known = new Map(secretsOf(running).map((secret) => [pathText(secret.path), secret]));
  const problems: Problem[] = [];
  const unveiled = secretsOf(document).reduce((at, { path, value }) => {
    const secret = known.get(pathText(path));
    if (secret?.veiled === value) return withValue(at, path, secret.value) as Document;
    if (value.includes(VEIL)) problems.push(unknownVeil(path));
    return at;
  }, document);
  return { document: unveiled, problems };
}

const unknownVeil = (path: Path): Problem =>
  unplaced(`\`${VEIL}\` stands for a secret in force, and there is none: write it out`, pathText(path));
