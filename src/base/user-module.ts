/** Loads a module that the configuration names: a handler, a validator. */

/** What Node says of a mistake in a module does not always name the module: the error begins with `what` and its URL. */
export async function importUserModule(what: string, url: string): Promise<{ default?: unknown }> {
  try {
    return await import(url);
  } catch (error) {
    throw new Error(`${what} ${url}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}
