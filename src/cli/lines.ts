/** Splits a stream into lines of bounded length: a longer line is skipped to its end without buffering. */

export type Line = { readonly text: string } | { readonly tooLong: true };

const LF = 0x0a;

export async function* linesOf(input: AsyncIterable<Buffer>, bytesMax: number): AsyncGenerator<Line> {
  let parts: Buffer[] = [];
  let length = 0;
  const finish = (): Line => {
    const line =
      length > bytesMax ? { tooLong: true as const } : { text: Buffer.concat(parts).toString('utf8') };
    [parts, length] = [[], 0];
    return line;
  };
  for await (const bytes of input) {
    let from = 0;
    for (let at = bytes.indexOf(LF); at >= 0; at = bytes.indexOf(LF, from)) {
      keep(bytes.subarray(from, at));
      yield finish();
      from = at + 1;
    }
    keep(bytes.subarray(from));
  }
  if (length > 0) yield finish();

  function keep(part: Buffer): void {
    length += part.length;
    if (length > bytesMax) parts = [];
    else parts.push(part);
  }
}
