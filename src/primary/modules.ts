/**
 * Modules of the user (handlers, validators) as they are when a configuration is read. A module whose text has changed is
 * another one: it gets an own URL, because a thread loads each URL once. The texts travel with the Plan, so that a worker
 * that starts later loads what was accepted, whatever the file says by then.
 */
import { createHash } from 'node:crypto';
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Config } from '../model/config.js';

export const moduleLimits = {
  /** A longer file is loaded as it is; that it has changed is not noticed. */
  textBytesMax: 1024 ** 2,
  /** Texts of all modules of a configuration together; those over it do not travel with the Plan. */
  allBytesMax: 8 * 1024 ** 2,
} as const;

/** URL → digest of the text that threads of this process know by the plain URL. */
const firstDigests = new Map<string, string>();

/** The configuration with URLs and texts of its modules as they are now. */
export async function withModules(config: Config): Promise<Config> {
  const urls = new Set(
    [
      ...config.upstreams.map(({ handler }) => handler),
      ...config.protocols.map(({ validator }) => validator),
    ].filter((url): url is string => url?.startsWith('file:') ?? false),
  );
  if (urls.size === 0) return config;
  const texts: Record<string, string> = {};
  const current = new Map<string, string>();
  let bytesLeft: number = moduleLimits.allBytesMax;
  for (const url of urls) {
    const bytes = await read(url);
    if (bytes === null) continue;
    const now = urlOf(url, bytes);
    current.set(url, now);
    bytesLeft -= bytes.length;
    if (bytesLeft >= 0) texts[now] = bytes.toString();
  }
  const urlNow = (url: string) => current.get(url) ?? url;
  return {
    ...config,
    modules: texts,
    upstreams: config.upstreams.map((each) => ({ ...each, handler: each.handler && urlNow(each.handler) })),
    protocols: config.protocols.map((each) => ({
      ...each,
      validator: each.validator && urlNow(each.validator),
    })),
  };
}

function urlOf(url: string, bytes: Buffer): string {
  const digest = createHash('sha256').update(bytes).digest('hex').slice(0, 12);
  const first = firstDigests.get(url);
  if (first === undefined) firstDigests.set(url, digest);
  return first === undefined || first === digest ? url : `${url}?${digest}`;
}

/** Null where there is no such file, or a longer one: loading it says why. */
async function read(url: string): Promise<Buffer | null> {
  try {
    // A pipe without a writer would keep a thread of the pool for ever.
    const file = await open(fileURLToPath(url), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      const stats = await file.stat();
      if (!stats.isFile() || stats.size > moduleLimits.textBytesMax) return null;
      const bytes = await file.readFile();
      return bytes.length > moduleLimits.textBytesMax ? null : bytes;
    } finally {
      await file.close();
    }
  } catch {
    return null;
  }
}
