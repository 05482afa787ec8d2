/** This node among others, as the control interface shows it. */

export interface ClusterStatus {
  readonly node: string;
  /** Its key is in etcd. */
  readonly registered: boolean;
  /** What is kept current of etcd's keys is so. */
  readonly connected: boolean;
  /** What fails now and why; null: nothing. */
  readonly error: string | null;
  /** Times that it began to fail. */
  readonly outages: number;
  /** The newest of etcd's store that was seen; 0: none. */
  readonly revision: number;
  /** Ids of nodes that are registered; in an outage those that were last. */
  readonly nodes: readonly string[];
  readonly services: readonly {
    readonly name: string;
    readonly instances: number;
  }[];
  /** How many fragments of the configuration there are in each state; null: none are read. */
  readonly fragments: Readonly<Record<FragmentState, number>> | null;
  /** Instances and fragments that are left out, and why. */
  readonly leftOut: readonly string[];
}

/** `waiting`: it is right, and can not be served for now. */
export const fragmentStates = ['accepted', 'refused', 'waiting'] as const;

export type FragmentState = (typeof fragmentStates)[number];
