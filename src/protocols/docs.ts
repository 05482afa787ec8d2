/** Generates docs/protocols.md from the table of protocols. */
import type { Protocol, Transport } from '../model/protocol.js';
import { certainBits } from './certainty.js';
import { protocols, recognizersFor } from './index.js';

const HEAD = `# Protocols

Generated from the table in \`src/protocols\`; \`anyport protocols\` prints the table in a terminal.

A protocol is recognised by its **signature**: regular expressions over the first bytes, arithmetic on fields at fixed
offsets and, where these do not suffice, a bounded parser for the bytes that follow. Every part answers *match*, *more* or
*no* as bytes arrive. Answers are final and do not depend on how the bytes were segmented.

**Rank**: candidates are tried in ascending rank: 10 a magic number, 40 a structure, 80 a text line that a family of
protocols shares. \`priority\` in the configuration takes precedence over rank. A protocol that **refines** another is a
special case of it and wins over it wherever it is configured. **Server first**: clients may wait for the server's
greeting and send nothing before it; give such listeners \`on_silence\`.

**Facts** are read from the opening beyond the protocol's name: routes match on \`sni\`, \`alpn\`, \`host\` and \`path\`; the access log
has all of them. A session behind a PROXY header also has \`proxy\` (\`v1\`, \`v2\`), \`proxy_source\` and \`proxy_destination\`;
version 2 adds its TLVs: \`proxy_authority\`, \`proxy_alpn\`, \`proxy_unique_id\`, \`proxy_tls\`, \`proxy_tls_version\`,
\`proxy_tls_cipher\`, \`proxy_tls_cn\`, \`proxy_tls_verified\`. Values that are not text are written as \`0x…\`. A header whose
TLVs do not add up to its length, or whose CRC32c is wrong, is refused (\`rejected\`). The address block of a \`LOCAL\` or
unspecified header is skipped.

**Names**: rules on \`sni\` and \`host\` also match \`proxy_authority\`. If the opening and the PROXY header name different hosts,
a rule that matches only one of them refuses the session. So does a rule on a **doubtful** fact: a text over 512 bytes; a
list over 64 names or 512 bytes; a host on which request target, \`:authority\` and Host disagree, that is malformed, or that
has not been read within \`identify_max_bytes\`; a path that servers read in several ways ([paths](operations.md#paths)). Each value of a list
counts by itself. A connection is routed by its first request. Facts do not affect which
protocol is recognised.
`;

const CERTAINTY = `**Certain bits** bound false positives: random bytes match with a probability of at most 2^-bits. The automaton's share is
exact; checks and parsers are sampled, so they count for at most 15 bits. Datagrams are assumed to have any length up to
1,472 bytes. Below 24 bits the opening is that short because real clients send no more before they wait for a reply: an old
Minecraft ping is two bytes, SOCKS 5 and Telnet start with three, the shortest CoAP request has four, and a syslog message is
free text. Enable such protocols only on listeners whose clients speak them.
`;

const PATTERNS = `## Patterns of custom protocols

\`regex\` uses JavaScript syntax without flags, over bytes: a character stands for one byte, \`\\x00\` to \`\\xff\`. Patterns compile
to finite automata, so matching takes one step per byte; constructs that automata can not express are refused by name when
the configuration is checked.

| may be used | meaning |
| --- | --- |
| \`^\` | the start of the stream; every alternative begins with it |
| \`(?i)\` before or behind the first \`^\` | ASCII letters match in either case |
| \`a\`, \`\\x41\`, \`\\u0041\`, \`\\n\`, \`\\.\` | that byte |
| \`.\` | any byte except LF |
| \`[^]\` | any byte |
| \`[a-z\\x80-\\xff]\`, \`[^\\r\\n]\` | any of these bytes; any except these |
| \`\\d\` \`\\w\` \`\\s\`, \`\\D\` \`\\W\` \`\\S\` | ASCII digits, word characters, whitespace; all other bytes |
| \`ab\`, \`a\\|b\`, \`(a\\|b)\`, \`(?:a\\|b)\`, \`(?<name>a)\` | sequence, alternatives, groups |
| \`a?\` \`a*\` \`a+\` \`a{3}\` \`a{3,}\` \`a{3,5}\` | repetition; lazy forms (\`a*?\`) match the same bytes |

| is refused | why |
| --- | --- |
| \`\\1\`, \`\\k<name>\` | back-references need memory |
| \`(?=a)\` \`(?!a)\` \`(?<=a)\` \`(?<!a)\` \`\\b\` \`\\B\` | look-around |
| \`$\`, a second \`^\` | the end of a stream is not known in advance |
| \`\\u0100\` and above | patterns match bytes, not characters |
| \`(?i:a)\` | flags apply to the whole pattern |
| \`\\p\`, \`\\A\`, \`\\x{41}\`, \`[[:alpha:]]\` | escapes and classes of other dialects, which JavaScript reads as letters |
| an alternative without \`^\` | it would match anywhere; use \`contains\` |
| a pattern that needs too many states | make it shorter or less open; long counted repetitions cost most |
`;

const COLUMNS = ['name', 'transport', 'rank', 'certain bits', 'signature', 'facts', 'server first', 'source'];

export function protocolDocs(): string {
  const rows = [COLUMNS, COLUMNS.map(() => '---'), ...protocols.map(cellsOf)].map(rowOf);
  return [HEAD, CERTAINTY, `## Built-in protocols\n\n${rows.join('\n')}\n`, PATTERNS].join('\n');
}

function cellsOf({
  id,
  transports,
  rank,
  refines,
  words,
  factNames = [],
  serverFirst,
  source,
}: Protocol): string[] {
  return [
    refines === undefined ? code(id) : `${code(id)}, refines ${code(refines)}`,
    transports.join(', '),
    String(rank),
    transports.map((transport) => bitsOf(id, transport)).join(', '),
    words,
    factNames.map(code).join(', '),
    serverFirst ? 'yes' : '',
    source,
  ];
}

/** Rounded down; one figure per transport. */
function bitsOf(id: string, transport: Transport): string {
  const recognizer = recognizersFor(transport).find((each) => each.id === id);
  return recognizer ? String(Math.floor(certainBits(recognizer, transport))) : '';
}

const code = (text: string): string => `\`${text}\``;

/** Escapes Markdown: the cell separator, emphasis, HTML elements. */
const rowOf = (cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replace(/[|*<]/g, '\\$&')).join(' | ')} |`;
