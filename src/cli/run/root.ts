/** Modules of the user (handlers, validators) are not run as root, unless that is asked for. */
import { shownModule } from '../../base/user-module.js';
import type { Config } from '../../model/config.js';

export const ALLOW_ROOT = '--allow-root';

/** Why a configuration is not served; null: it is. `builtin:NAME` is anyport's own code. */
export function rootRefusal(config: Config, allowRoot: boolean): string | null {
  const module = allowRoot ? null : moduleAsRoot(config);
  if (module === null) return null;
  return (
    `${module} would run as root: name another user (\`server.user\`), ` +
    `start anyport as one, or say \`${ALLOW_ROOT}\``
  );
}

/** The first one that would run as root; null: none. */
export function moduleAsRoot(config: Config): string | null {
  if (process.geteuid?.() !== 0 || config.server.identity !== null) return null;
  return firstModule(config);
}

function firstModule({ upstreams, protocols }: Config): string | null {
  const shown = (what: string, url: string | null) =>
    url?.startsWith('file:') ? `${what} ${shownModule(url)}` : null;
  return (
    upstreams.map(({ handler }) => shown('handler', handler)).find((text) => text !== null) ??
    protocols.map(({ validator }) => shown('validator', validator)).find((text) => text !== null) ??
    null
  );
}
