/** Patterns over host names: a name, or `*.` and a name for all that is below it. */

/** A pattern taken apart. */
export interface HostKey {
  /** Lower case, without the trailing dot. */
  readonly name: string;
  /** Matches all that is below the name but not the name itself. */
  readonly below: boolean;
}

/** `*.example.com` matches subdomains of example.com at any depth, but not example.com itself. */
export function createNameTest(pattern: string): (name: string) => boolean {
  const { name: wanted, below } = nameKey(pattern);
  if (!below) return (name) => plainName(name) === wanted;
  const suffix = `.${wanted}`;
  return (name) => {
    const plain = plainName(name);
    return plain.length > suffix.length && plain.endsWith(suffix);
  };
}

export function nameKey(pattern: string): HostKey {
  const wanted = pattern.toLowerCase();
  const below = wanted.startsWith('*.');
  return { name: below ? wanted.slice(2) : wanted, below };
}

/** `example.com.` is the same name written absolutely (RFC 1034 section 3.1). */
export function plainName(name: string): string {
  return name.endsWith('.') ? name.slice(0, -1) : name;
}
