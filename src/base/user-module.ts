/** Loads a module named in the configuration (handler or validator). */

/** Errors start with `what` and the URL, because Node's messages do not always name the module. */
export async function importUserModule(what: string, url: string): Promise<{ default?: unknown }> {
  try {
    return await import(url);
  } catch (error) {
    throw new Error(`${what} ${url}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}
