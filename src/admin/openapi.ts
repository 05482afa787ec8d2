/** The OpenAPI 3.1 document, made from the table of routes. */
import { type ErrorCode, errorStatus } from './answer.js';
import type { Described, Route } from './router.js';
import type { JsonSchema } from './schema.js';
import { ref, schemas } from './schemas.js';

/** What any route may answer; a code's status is in its operation, all codes of a status in one description. */
const common: readonly ErrorCode[] = [
  'bad_request',
  'unauthorized',
  'foreign_host',
  'foreign_origin',
  'failed',
];
const ofBody: readonly ErrorCode[] = ['bad_json', 'body_too_large', 'not_json', 'busy'];

export interface OpenApi {
  readonly openapi: '3.1.0';
  readonly info: { readonly title: string; readonly version: string; readonly description: string };
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, JsonSchema>>;
    readonly securitySchemes: Readonly<Record<string, object>>;
  };
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
}

export interface Operation {
  readonly operationId: string;
  readonly summary: string;
  readonly description?: string;
  readonly parameters?: readonly object[];
  readonly requestBody?: object;
  readonly responses: Readonly<Record<string, OpenApiResponse>>;
}

export interface OpenApiResponse {
  readonly description: string;
  readonly headers?: Readonly<Record<string, object>>;
  readonly content: Readonly<Record<string, { readonly schema: JsonSchema }>>;
}

export function openApi(routes: readonly Route[], version: string): OpenApi {
  const paths: Record<string, Record<string, Operation>> = {};
  for (const route of routes) {
    paths[route.path] = { ...paths[route.path], [route.method.toLowerCase()]: operationOf(route) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'anyport control interface',
      version,
      description: 'Served on `admin.listen`. Errors have one form, `{ error: { code, message, path? } }`.',
    },
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: { type: 'http', scheme: 'bearer', description: '`admin.token`, where one is configured' },
      },
    },
    security: [{}, { token: [] }],
  };
}

function operationOf(route: Route): Operation {
  const { id, summary, description, body } = route;
  const parameters = parametersOf(route);
  return {
    operationId: id,
    summary,
    ...(description !== undefined && { description }),
    ...(parameters.length > 0 && { parameters }),
    ...(body !== undefined && {
      requestBody: { description: body.words, required: true, content: contentOf(body) },
    }),
    responses: responsesOf(route),
  };
}

function parametersOf({ params = {}, query = {}, ifMatch }: Route): object[] {
  return [
    ...Object.entries(params).map(([name, description]) => ({
      name,
      in: 'path',
      required: true,
      description,
      schema: { type: 'string' },
    })),
    ...Object.entries(query).map(([name, { description, ...schema }]) => ({
      name,
      in: 'query',
      description,
      schema,
    })),
    ...(ifMatch
      ? [
          {
            name: 'If-Match',
            in: 'header',
            description: 'The `ETag` of the configuration that was read: refused when it has changed since',
            schema: { type: 'string' },
          },
        ]
      : []),
  ];
}

function responsesOf({ answers, errors = [], body }: Route): Operation['responses'] {
  const codes = [...new Set([...errors, ...(body === undefined ? [] : ofBody), ...common])];
  const refused = codes.map((code): [number, OpenApiResponse] => {
    const status = errorStatus[code];
    const all = codes.filter((each) => errorStatus[each] === status);
    const description = all.map((each) => `\`${each}\``).join(', ');
    return [status, { description, content: { 'application/json': { schema: ref('Error') } } }];
  });
  const done = Object.entries(answers).map(([status, described]) => [status, responseOf(described)] as const);
  return Object.fromEntries([...refused, ...done]);
}

function responseOf(described: Described): OpenApiResponse {
  const { words, headers } = described;
  const shown = Object.entries(headers ?? {}).map(([name, description]) => [
    name,
    { description, schema: { type: 'string' } },
  ]);
  return {
    description: words,
    ...(shown.length > 0 && { headers: Object.fromEntries(shown) }),
    content: contentOf(described),
  };
}

function contentOf({ schema, contentType = 'application/json' }: Described): OpenApiResponse['content'] {
  return { [contentType]: { schema: schema ?? { type: 'string' } } };
}
