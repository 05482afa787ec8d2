/** Generates docs/configuration.md from the schema. */
import { jsonSchema } from './schema/index.js';

/** The parts of a JSON Schema that are used here. */
interface SchemaNode {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly required?: readonly string[];
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly const?: unknown;
  /** Of `oneOf`: the key whose value says which; what the others have in common is in every one. */
  readonly 'x-kinds'?: string;
  readonly 'x-values'?: string;
  /** Key path that has the rows of what is below. */
  readonly 'x-like'?: string;
}

/** Key path: `[]` for a list item, NAME for a name chosen by the user. */
type Keys = readonly string[];

interface Row {
  readonly keys: Keys;
  readonly node: SchemaNode;
  readonly required: boolean;
}

const HEAD = `# Configuration

Generated from the schema in \`src/config/schema\`; \`anyport schema\` prints the same as JSON Schema, for editors.

The file is YAML. Every key is optional unless it says "required". Durations are written \`250ms\`, \`5s\`,
\`30m\`, \`1h\`; sizes in bytes, or \`64KiB\`, \`1MiB\`. \`\${NAME}\` stands for an environment variable, \`\${NAME:-text}\`
has a default, which stands for one that is empty, too; one that is not set and has none is an error. An unknown key is an error that names the nearest known
one. Flags of \`anyport run\` win over the file. \`anyport check -c FILE\` prints every problem with its place.

An address to listen on without a host (\`:443\`) takes every address of the machine, IPv4 and IPv6; \`[::]:443\` does, too,
unless an IPv4 address of the port is listed, as in \`["0.0.0.0:443", "[::]:443"]\`. A unix socket is \`unix:/run/a.sock\`, an
abstract one \`unix:@name\`. In networks an IPv4-mapped address is IPv4, and \`::/0\` is IPv6 alone.

\`include\` names other files of the configuration, relative to the main one: paths, and patterns with \`*\` and \`?\` in their
last part, whose matches are read in the order of their names (those that begin with a dot are left out). Lists (\`protocols\`,
\`routes\`, \`listeners\` …) are appended in the order of the files, mappings are joined key by key; one key, or one upstream, in
two files is an error that names both places. Included files include no others, and their modules are relative to
themselves. A pattern may match nothing; a path, or the folder of a pattern, that is not there is an error. At most 1,000
files of 1 MiB, 8 MiB together.

What happens at a limit, and which counter tells, is in [limits.md](limits.md).
`;

export function configurationDocs(): string {
  const { properties = {} } = jsonSchema() as SchemaNode;
  return [HEAD, ...Object.entries(properties).map(([name, node]) => sectionDocs(name, node))].join('\n');
}

function sectionDocs(name: string, node: SchemaNode): string {
  const heading = `## \`${name}\`\n\n${node.description ?? ''}\n`;
  const rows = rowsBelow([name], node).map(rowDocs);
  if (rows.length === 0) return heading;
  return `${heading}\n| key | value | default | meaning |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`;
}

function rowsBelow(keys: Keys, node: SchemaNode): Row[] {
  const { properties = {}, required = [], additionalProperties, items, anyOf = [] } = node;
  const named = Object.entries(properties).flatMap(([key, inner]) =>
    rowsOf([...keys, key], inner, required.includes(key)),
  );
  const free =
    typeof additionalProperties === 'object' ? rowsBelow([...keys, 'NAME'], additionalProperties) : [];
  const isLike = node['x-like'] !== undefined;
  const listed = items === undefined || isLike ? [] : rowsBelow([...keys, '[]'], items);
  return [
    ...named,
    ...free,
    ...listed,
    ...anyOf.flatMap((form) => rowsBelow(keys, form)),
    ...rowsOfKinds(keys, node),
  ];
}

/** Keys that all kinds have once, then those that only some have, which say whose they are. */
function rowsOfKinds(keys: Keys, { oneOf = [], 'x-kinds': kindKey = '' }: SchemaNode): Row[] {
  const [first] = oneOf;
  if (first === undefined) return [];
  const common = Object.keys(first.properties ?? {}).filter((key) =>
    oneOf.every(({ properties = {} }) => Object.hasOwn(properties, key)),
  );
  const own = oneOf.flatMap((kind) => {
    const name = String(kind.properties?.[kindKey]?.const);
    const properties = Object.entries(kind.properties ?? {}).filter(([key]) => !common.includes(key));
    const rows = rowsBelow(keys, { ...kind, properties: Object.fromEntries(properties) });
    return rows.map((row) => ({ row, name }));
  });
  const shared = Object.fromEntries(
    Object.entries(first.properties ?? {}).filter(([key]) => common.includes(key)),
  );
  return [...rowsBelow(keys, { properties: shared }), ...joined(own)];
}

interface OwnRow {
  readonly row: Row;
  /** Of the kind. */
  readonly name: string;
}

/** One row for what several kinds have alike, where the first of them has it. */
function joined(rows: readonly OwnRow[]): Row[] {
  const alike = new Map<string, OwnRow[]>();
  for (const each of rows) {
    const text = JSON.stringify(each.row);
    alike.set(text, [...(alike.get(text) ?? []), each]);
  }
  return [...alike.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const names = group.map(({ name }) => `\`${name}\``).join(', ');
    const { row } = first;
    return [{ ...row, node: { ...row.node, description: `(${names}) ${row.node.description ?? ''}` } }];
  });
}

/** Mappings have no row of their own, only their keys. */
function rowsOf(keys: Keys, node: SchemaNode, required: boolean): Row[] {
  const below = node['x-like'] === undefined ? rowsBelow(keys, node) : [];
  return node.properties === undefined && node.oneOf === undefined
    ? [{ keys, node, required }, ...below]
    : below;
}

function rowDocs({ keys, node, required }: Row): string {
  const cells = [
    `\`${keysText(keys)}\``,
    node['x-values'] ?? node.type ?? 'text',
    defaultText(node, required),
    `${node.description ?? ''}`,
  ];
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
}

function defaultText({ default: value }: SchemaNode, required: boolean): string {
  if (required) return 'required';
  return value === undefined ? '' : `\`${JSON.stringify(value)}\``;
}

const keysText = (keys: Keys): string => keys.join('.').replaceAll('.[]', '[]');
