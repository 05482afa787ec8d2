/** The built-in handlers, and how a configured handler is found. */
import { type LocalCode, loadUserCode, shownModule } from '../base/user-module.js';
import { echo } from './echo.js';
import type { Handler } from './handler.js';
import { http } from './http.js';
import { redis } from './redis.js';

export type { DatagramHandler, Handler, HandlerSession } from './handler.js';

export const handlers = { http, redis, echo } satisfies Record<string, Handler>;

/** The built-in ones that serve flows too. */
const ofDatagrams: readonly string[] = [
  'builtin:echo',
] satisfies readonly `builtin:${keyof typeof handlers}`[];

const BUILTIN = 'builtin:';

export const isBuiltin = (spec: string): boolean => spec.startsWith(BUILTIN);

/** Of a module nothing is known. */
export const servesDatagrams = (spec: string): boolean => !isBuiltin(spec) || ofDatagrams.includes(spec);

/** As a configuration names them: `builtin:http`. */
export const builtinHandlers: readonly string[] = Object.keys(handlers).map((name) => `${BUILTIN}${name}`);

/** `spec`: `builtin:NAME`, the file URL of a module whose default export is a handler, or a name in `local`. */
export async function loadHandler(spec: string, local?: LocalCode): Promise<Handler> {
  if (isBuiltin(spec)) return builtin(spec.slice(BUILTIN.length));
  const handler = await loadUserCode('handler', spec, local);
  if (typeof handler !== 'function') {
    const shown = shownModule(spec);
    throw new Error(`handler ${shown}: its default export must be a function (socket, session) => void`);
  }
  return handler as Handler;
}

function builtin(name: string): Handler {
  const table: Readonly<Record<string, Handler>> = handlers;
  const handler = Object.hasOwn(table, name) ? table[name] : undefined;
  if (handler) return handler;
  throw new Error(
    `there is no built-in handler "${name}"; those there are: ${Object.keys(handlers).join(', ')}`,
  );
}
