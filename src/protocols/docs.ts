/** Generates docs/protocols.md from the table of protocols. */
import type { Protocol, Transport } from '../model/protocol.js';
import { certainBits } from './certainty.js';
import { protocols, recognizersFor } from './index.js';

const HEAD = `# Protocols

Generated from the table in \`src/protocols\`; \`anyport protocols\` prints the same for terminals.

A protocol is recognised by its **signature**: regular expressions over the first bytes, arithmetic on fields at fixed
offsets, and, where both can not say it, a bounded walk over what follows. Each is asked about the bytes as they come and
answers *match*, *more* or *no*; an answer is never taken back, and does not depend on how the bytes were cut.

**Rank** says who is asked first, the lower number before the higher: 10 a magic number, 40 a structure, 80 a line of text
that any of a family could send. In a configuration \`priority\` comes before it. A protocol that **refines** another is a
special case of it and wins over it wherever it is configured. Where the **server speaks first** a client that waits for
the greeting says nothing: give such a listener \`on_silence\`.

**Facts** are what is read from an opening beyond its name: routes ask for \`sni\`, \`alpn\` and \`host\`, and the access log
has them all. A session behind a PROXY header has \`proxy\` (\`v1\`, \`v2\`), \`proxy_source\` and \`proxy_destination\` besides;
with version 2 also what its TLVs say: \`proxy_authority\`, \`proxy_alpn\`, \`proxy_unique_id\`, \`proxy_tls\`,
\`proxy_tls_version\`, \`proxy_tls_cipher\`, \`proxy_tls_cn\`, \`proxy_tls_verified\`. A value that is no text is written \`0x…\`. TLVs
that do not add up to the header, or a CRC32c that is wrong, make it no header: \`rejected\`. The block of a \`LOCAL\` or
unspecified header is passed over.

**Names** are compared wherever they stand: \`sni\` and \`host\` look at \`proxy_authority\` too. Where the opening and the PROXY
header name different hosts, a rule that holds for one of them and not for the other refuses the session. So does a rule
on a **doubtful** fact: a text over 512 bytes, a list of more than 64 names or 512 bytes, a host on which the target of a
request, \`:authority\` and Host do not agree or which is none, or that is not there when \`identify_max_bytes\` have been read.
A connection is routed by its first request; facts say nothing about which protocol it is, so it does not matter who reads
them.
`;

const CERTAINTY = `**Certain bits** say how seldom a name is given by chance: random bytes get it once in 2^bits at most. What the automaton asks
for is summed up exactly; what checks and walks add is measured, so no more than 15 bits of it are seen. A datagram has any length
up to 1,472 bytes. Where there are fewer than 24 bits, real clients send no more before they wait for an answer: an old
Minecraft ping is two bytes, SOCKS 5 and Telnet begin with three, the shortest CoAP request has four, and the text of a
syslog message is free. Name such protocols only on listeners whose clients speak them.
`;

const PATTERNS = `## Patterns of custom protocols

\`regex\` has the syntax of JavaScript, without flags, over bytes: a character stands for one byte, \`\\x00\` to \`\\xff\`. Matching
takes one step a byte whatever the pattern is, so only what a finite automaton can do is accepted; anything else is
refused with its name when the configuration is checked.

| may be used | meaning |
| --- | --- |
| \`^\` | the first byte: every alternative begins with it |
| \`(?i)\` before or behind the first \`^\` | letters of ASCII in either case |
| \`a\`, \`\\x41\`, \`\\u0041\`, \`\\n\`, \`\\.\` | that byte |
| \`.\` | any byte but LF |
| \`[^]\` | any byte |
| \`[a-z\\x80-\\xff]\`, \`[^\\r\\n]\` | any of these, or any but these |
| \`\\d\` \`\\w\` \`\\s\`, \`\\D\` \`\\W\` \`\\S\` | digits, word characters and white space of ASCII, or all other bytes |
| \`ab\`, \`a\\|b\`, \`(a\\|b)\`, \`(?:a\\|b)\`, \`(?<name>a)\` | one after the other, one or the other, groups |
| \`a?\` \`a*\` \`a+\` \`a{3}\` \`a{3,}\` \`a{3,5}\` | repetitions; lazy ones (\`a*?\`) match the same bytes |

| is refused | why |
| --- | --- |
| \`\\1\`, \`\\k<name>\` | back-references need memory |
| \`(?=a)\` \`(?!a)\` \`(?<=a)\` \`(?<!a)\` \`\\b\` \`\\B\` | look-around |
| \`$\`, a second \`^\` | a stream has no end that could be known |
| \`\\u0100\` and above | bytes are no text |
| \`(?i:a)\` | flags hold for the whole pattern |
| \`\\p\`, \`\\A\`, \`\\x{41}\`, \`[[:alpha:]]\` | escapes and classes of other dialects, which are letters to JavaScript |
| an alternative without \`^\` | it would be looked for everywhere: that is what \`contains\` is for |
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
