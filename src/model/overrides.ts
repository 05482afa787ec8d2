/**
 * What an operator has set for an endpoint at run time, by upstream and endpoint name. Part of the input of compile();
 * never written to the file.
 */

/** `drain`: gets no new session, is well; `down`: gets none, and is reported as down. */
export const endpointStates = ['up', 'drain', 'down'] as const;
export type EndpointState = (typeof endpointStates)[number];

/** Bounds of a weight, configured or set; 0: no new session. */
export const weightLimits = { min: 0, max: 256 } as const;

export interface EndpointOverride {
  /** Null: the configured weight. */
  readonly weight: number | null;
  readonly state: EndpointState;
}

/** Upstream → endpoint → override. Immutable; an endpoint without one is as configured. */
export type EndpointOverrides = ReadonlyMap<string, ReadonlyMap<string, EndpointOverride>>;
