/** Log lines as loggers (text) and workers (bytes) pass them on. */
type Written = string | Uint8Array;

export const linesOf = (written: Written): string[] =>
  Buffer.from(written as string)
    .toString()
    .split('\n')
    .filter(Boolean);

/** Takes finished lines. */
export const collectsInto =
  <Line>(lines: Line[]) =>
  (written: Written): void => {
    for (const line of linesOf(written)) lines.push(JSON.parse(line));
  };
