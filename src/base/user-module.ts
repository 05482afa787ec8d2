/** Finds the user's code (a handler, a validator): a module's default export, or a function of the embedding program. */

/** Functions by name (`local:1`). A Plan is plain data and names them as it names modules. */
export type LocalCode = ReadonlyMap<string, unknown>;

const LOCAL = 'local:';

export const localName = (number: number): string => `${LOCAL}${number}`;

export const isLocal = (spec: string): boolean => spec.startsWith(LOCAL);

/** `what`: for messages. Rejects when a module can not be loaded; a name without a function yields undefined. */
export async function loadUserCode(what: string, spec: string, local?: LocalCode): Promise<unknown> {
  if (isLocal(spec)) return local?.get(spec);
  return (await importUserModule(what, spec)).default;
}

/** Errors start with `what` and the URL, because Node's messages do not always name the module. */
async function importUserModule(what: string, url: string): Promise<{ default?: unknown }> {
  try {
    return await import(url);
  } catch (error) {
    throw new Error(`${what} ${url}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}
