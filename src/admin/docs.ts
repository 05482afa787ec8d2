/** Generates docs/admin-api.md from the table of routes. */
import { errorStatus } from './answer.js';
import { routes } from './handlers/index.js';
import type { Described, Route } from './router.js';
import type { JsonSchema } from './schema.js';
import { type SchemaName, schemas } from './schemas.js';

const HEAD = `# Control interface: reference

Generated from the table in \`src/admin/handlers\`; how to use it is in [operations.md](operations.md). The same as OpenAPI 3.1
is served as \`/api/v1/openapi.json\` and kept in [openapi.json](openapi.json).

Bodies are JSON with \`content-type: application/json\`. With \`admin.token\` every request brings
\`Authorization: Bearer TOKEN\`. A connection carries one request. Every error is
\`{ "error": { "code", "message", "path"?, "problems"? } }\`: \`path\` is a key path or a parameter, \`problems\` lists what is wrong
with a configuration.

Names in a path are percent-encoded: \`/api/v1/upstreams/web/endpoints/unix%3A%2Frun%2Fweb.sock\`.
`;

/** Of every route, by how it may fail before it is reached. */
const EVERYWHERE = `Besides its own, every route may answer \`bad_request\` (400), \`unauthorized\` (401), \`foreign_host\` and
\`foreign_origin\` (403) and \`failed\` (500); one with a body \`bad_json\` (400), \`body_too_large\` (413), \`not_json\` (415)
and \`busy\` (503). Elsewhere there is \`not_found\` (404), with another method \`method_not_allowed\` (405) and \`Allow\`.
`;

export function controlDocs(): string {
  const parts = [
    HEAD,
    '## Resources\n',
    overview(),
    EVERYWHERE,
    ...routes.map(section),
    '## Shapes\n',
    ...shapes(),
  ];
  return `${parts.join('\n').trimEnd()}\n`;
}

function overview(): string {
  const rows = routes.map(({ method, path, summary }) => `| \`${method} ${path}\` | ${cell(summary)} |`);
  return `| request | does |\n| --- | --- |\n${rows.join('\n')}\n`;
}

function section(route: Route): string {
  const {
    method,
    path,
    summary,
    description,
    params = {},
    query = {},
    body,
    ifMatch,
    answers,
    errors = [],
  } = route;
  const lines = [
    `### \`${method} ${path}\`\n`,
    `${summary}.${description === undefined ? '' : ` ${description}`}\n`,
    ...Object.entries(params).map(([name, meaning]) => `- \`{${name}}\`: ${meaning}`),
    ...Object.entries(query).map(([name, schema]) => `- \`?${name}=\`: ${meaningOf(schema)}`),
    ...(body === undefined ? [] : [`- body: ${body.words} ${shapeLink(body)}`.trimEnd()]),
    ...(ifMatch ? ['- `If-Match`: the `ETag` of the configuration that was read'] : []),
    ...Object.entries(answers).map(([status, each]) =>
      `- ${status}: ${each.words} ${shapeLink(each)}`.trimEnd(),
    ),
    ...(errors.length === 0
      ? []
      : [`- errors: ${errors.map((code) => `\`${code}\` (${errorStatus[code]})`).join(', ')}`]),
  ];
  return `${lines.join('\n')}\n`;
}

function shapeLink({ schema, contentType }: Described): string {
  if (schema === undefined) return `\`${contentType ?? 'text/plain'}\``;
  const { $ref } = schema;
  return $ref === undefined ? shapeText(schema) : linkTo($ref);
}

const nameIn = (reference: string): string => reference.slice(reference.lastIndexOf('/') + 1);

const linkTo = (reference: string): string => `[${nameIn(reference)}](#${nameIn(reference).toLowerCase()})`;

function shapes(): string[] {
  return (Object.keys(schemas) as SchemaName[]).map((name) => {
    const schema: JsonSchema = schemas[name];
    const { description } = schema;
    const rows = Object.entries(schema.properties ?? {}).map(
      ([key, each]) =>
        `| \`${key}\`${schema.required?.includes(key) ? '' : '?'} | ${cell(shapeText(each))} | ${cell(each.description ?? '')} |`,
    );
    const table =
      rows.length === 0 ? '' : `| key | value | meaning |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
    return `### ${name}\n\n${description === undefined ? '' : `${description}\n\n`}${table}`;
  });
}

/** A value in a few characters: `integer`, `[Endpoint]`, `{ up, down }`, `"up" or "down"`. */
function shapeText(schema: JsonSchema): string {
  const { $ref, type, enum: values, items, properties, additionalProperties } = schema;
  if ($ref !== undefined) return linkTo($ref);
  if (values !== undefined) return values.map((value) => `\`${value}\``).join(', ');
  const orNull = [type].flat().includes('null') ? ' or null' : '';
  if (items !== undefined) return `list of ${shapeText(items)}${orNull}`;
  if (properties !== undefined) {
    const isPlain = (each: JsonSchema) =>
      each.properties === undefined && each.$ref === undefined && each.items === undefined;
    const keys = Object.entries(properties).map(([key, each]) =>
      isPlain(each) ? `\`${key}\`` : `\`${key}\`: ${shapeText(each)}`,
    );
    return `{ ${keys.join(', ')} }${orNull}`;
  }
  if (typeof additionalProperties === 'object') return `by name: ${shapeText(additionalProperties)}`;
  return type === undefined ? 'anything' : [type].flat().join(' or ');
}

function meaningOf(schema: JsonSchema): string {
  const { description = '', minimum, maximum } = schema;
  const range = minimum === undefined ? '' : ` (${minimum} to ${maximum})`;
  const values = schema.enum === undefined ? '' : ` (${shapeText(schema)})`;
  return `${description}${range}${values}`;
}

const cell = (text: string): string => text.replaceAll('|', '\\|');
