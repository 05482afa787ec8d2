/** The table of routes, and which of them a request is for. Pure. */
import type { Answer, ErrorCode } from './answer.js';
import type { Operations } from './control.js';
import type { JsonSchema } from './schema.js';

export const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
export type Method = (typeof methods)[number];

export interface ApiRequest {
  /** Decoded values of the path's `{…}` segments. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  /** Of the shape that the route describes; undefined for a route without one. */
  readonly body: unknown;
  readonly ifMatch: string | undefined;
}

export interface Described {
  readonly words: string;
  /** Absent: text. */
  readonly schema?: JsonSchema;
  readonly contentType?: string;
  /** Response headers worth knowing, with their meaning. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface Route {
  readonly method: Method;
  /** `/api/v1/sessions/{id}`. */
  readonly path: string;
  /** Name of the operation in generated clients. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  /** Meaning of each `{…}` segment. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: Readonly<Record<string, JsonSchema>>;
  readonly body?: Described & { readonly schema: JsonSchema };
  /** Whether `If-Match` is understood. */
  readonly ifMatch?: true;
  /** Success by status. */
  readonly answers: Readonly<Record<number, Described>>;
  /** Codes of its own errors, besides those that every route has. */
  readonly errors?: readonly ErrorCode[];
  readonly handle: (request: ApiRequest, operations: Operations) => Answer | Promise<Answer>;
}

export type Found =
  | { readonly kind: 'route'; readonly route: Route; readonly params: Record<string, string> }
  /** The path exists, the method does not. */
  | { readonly kind: 'method'; readonly allow: readonly string[] }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'nothing' };

/** `path`: as sent, without the query. Segments are compared before they are decoded: a name may contain `%2F`. */
export function findRoute(routes: readonly Route[], method: string, path: string): Found {
  const wanted = method === 'HEAD' ? 'GET' : method;
  const sent = path.split('/');
  const here = routes.filter((route) => isFor(route.path, sent));
  const route = here.find((each) => each.method === wanted);
  if (route === undefined) {
    if (here.length === 0) return { kind: 'nothing' };
    return { kind: 'method', allow: allowed(here) };
  }
  const params = paramsOf(route.path, sent);
  return params === null ? { kind: 'malformed' } : { kind: 'route', route, params };
}

function allowed(routes: readonly Route[]): string[] {
  const all = routes.map(({ method }) => method);
  return all.includes('GET') ? ['GET', 'HEAD', ...all.filter((method) => method !== 'GET')] : all;
}

const isParam = (segment: string): boolean => segment.startsWith('{');

function isFor(path: string, sent: readonly string[]): boolean {
  const segments = path.split('/');
  return (
    segments.length === sent.length &&
    segments.every((segment, index) => (isParam(segment) ? sent[index] !== '' : segment === sent[index]))
  );
}

/** Null: a percent escape is malformed. */
function paramsOf(path: string, sent: readonly string[]): Record<string, string> | null {
  try {
    return Object.fromEntries(
      path
        .split('/')
        .map((segment, index) => [segment, decodeURIComponent(sent[index] ?? '')] as const)
        .filter(([segment]) => isParam(segment))
        .map(([segment, value]) => [segment.slice(1, -1), value]),
    );
  } catch {
    return null;
  }
}
