/** docs/library.md: the text of library.md, and a reference made of the doc comments of what `src/index.ts` exports. */
import { readFileSync } from 'node:fs';
import { posix } from 'node:path';

const INDEX = 'src/index.ts';

export function libraryDocs() {
  const text = readFileSync(new URL('./library.md', import.meta.url), 'utf8');
  return text.replace('<!-- reference -->\n', `${exported().map(entryDocs).join('\n')}`);
}

/** What a reader looks for first; the rest follows in the order of the index. */
const FIRST = ['./library/anyport.js', './library/types.js', './library/options.js', './library/builders.js'];

/** Declarations that the index exports, each once. */
function exported() {
  const index = readFileSync(INDEX, 'utf8');
  const statements = [...index.matchAll(/^export (?:type )?(\*|\{[^}]*\}) from '(\.[^']+)';/gm)];
  const rank = ([, , specifier]) => (FIRST.indexOf(specifier) + FIRST.length + 1) % (FIRST.length + 1);
  return statements
    .sort((a, b) => rank(a) - rank(b))
    .flatMap(([, names, specifier]) => {
      const file = posix.join('src', specifier.replace(/\.js$/, '.ts'));
      const all = declarationsOf(readFileSync(file, 'utf8'));
      if (names === '*') return all;
      const wanted = names.match(/\w+/g).filter((name) => name !== 'type');
      return wanted.map((name) => found(all, name, file));
    });
}

function found(declarations, name, file) {
  const declaration = declarations.find((each) => each.name === name);
  if (declaration === undefined) throw new Error(`${file} exports no ${name} that can be documented`);
  return declaration;
}

/** Exported declarations of a formatted source: `{ name, kind, comment, text }`. */
function declarationsOf(source) {
  const lines = source.split('\n');
  const declarations = [];
  for (let at = 0; at < lines.length; at += 1) {
    const start =
      /^export (?:declare )?(?:abstract )?(?:async )?(interface|type|class|const|function) (\w+)/.exec(
        lines[at],
      );
    if (start === null) continue;
    const [, kind, name] = start;
    const end = endOf(lines, at);
    declarations.push({
      name,
      kind,
      comment: commentAbove(lines, at),
      text: lines.slice(at, end + 1).join('\n'),
    });
    at = end;
  }
  return declarations;
}

/** A declaration ends with the first line at its own indent that closes it. */
function endOf(lines, start) {
  for (let at = start; at < lines.length; at += 1) {
    if (at > start && /^[)}\]]/.test(lines[at]) && !/[({[,|]$/.test(lines[at])) return at;
    if (/;$/.test(lines[at]) && /^(?: {2}[|&] |export)/.test(lines[at])) return at;
    if (at === start && /\}$/.test(lines[at])) return at;
  }
  throw new Error(`no end of: ${lines[start]}`);
}

function commentAbove(lines, at) {
  if (!/\*\/$/.test(lines[at - 1] ?? '')) return '';
  let first = at - 1;
  while (!/^\s*\/\*\*/.test(lines[first])) first -= 1;
  return commentText(lines.slice(first, at));
}

function commentText(lines) {
  const bare = lines.map((line) =>
    line
      .trim()
      .replace(/^\/\*\*\s?/, '')
      .replace(/\s*\*\/$/, '')
      .replace(/^\*\s?/, ''),
  );
  return bare.join('\n').trim();
}

function entryDocs(declaration) {
  const { name, comment } = declaration;
  return [`## \`${name}\`\n`, comment === '' ? '' : `${comment}\n`, bodyDocs(declaration)]
    .filter(Boolean)
    .join('\n');
}

function bodyDocs({ kind, text }) {
  if (kind === 'interface') return interfaceDocs(text);
  if (kind === 'type') return `\`\`\`ts\n${text.replace(/^export /, '')}\n\`\`\`\n`;
  if (kind === 'class') return interfaceDocs(text.replace(/^ {2}constructor[\s\S]*?^ {2}\}\n/m, ''));
  const signature = kind === 'function' ? signatureOf(text) : text.replace(/ =[\s\S]*$/, ';');
  return `\`\`\`ts\n${signature.replace(/^export /, '')}\n\`\`\`\n`;
}

/** Without its body. */
const signatureOf = (text) =>
  text
    .replace(/ \{\n {2}[\s\S]*$/, ';')
    .replace(/\{[^}]*\}: (\w+) = \{\}/, 'options?: $1')
    .replace(/(\w+): ([^,()]+) = \{\}/, '$1?: $2');

function interfaceDocs(text) {
  const [head] = text.split('\n');
  const parent = /(?:extends|implements) (.+) \{/.exec(head)?.[1];
  const rows = membersOf(text.split('\n').slice(1, -1)).map(
    ({ signature, comment }) => `| \`${cell(signature)}\` | ${cell(comment)} |`,
  );
  const extending = parent === undefined ? '' : `Extends \`${parent}\`.\n\n`;
  if (rows.length === 0) return extending;
  return `${extending}| member | meaning |\n| --- | --- |\n${rows.join('\n')}\n`;
}

const cell = (text) => text.replace(/\s*\n\s*/g, ' ').replaceAll('|', '\\|');

function membersOf(lines) {
  const members = [];
  let comment = [];
  let member = [];
  for (const line of lines) {
    if (member.length === 0 && /^ {2}\/\*\*/.test(line)) comment = [line];
    else if (member.length === 0 && /^ {3}\*/.test(line)) comment.push(line);
    else {
      member.push(line);
      if (!/^ {2}(?! ).*[;}]$/.test(line)) continue;
      members.push({ signature: memberText(member), comment: commentText(comment) });
      [comment, member] = [[], []];
    }
  }
  return members.filter(({ signature }) => !/^(?:#|private)/.test(signature));
}

const memberText = (lines) =>
  lines
    .map((line) => line.trim())
    .filter((line) => !/^(?:\/\*\*|\*)/.test(line))
    .join(' ')
    .replace(/^(?:override )?readonly /, '')
    .replace(/;$/, '');
