/** `protocols.http({ … })`: a definition for each built-in, made from the table. */
import { type BuiltInId, protocols as table } from '../protocols/index.js';
import type { ProtocolDefinition } from './options.js';

/** Everything that may be said of a built-in; a signature makes it a protocol of your own under a built-in's name. */
export type BuiltInOptions = Omit<ProtocolDefinition, 'name'>;

export type ProtocolBuilders = {
  readonly [Id in BuiltInId]: (options?: BuiltInOptions) => ProtocolDefinition & { readonly name: Id };
};

/** By id: `protocols.http`, `protocols.tls` … */
export const protocols: ProtocolBuilders = Object.freeze(
  Object.fromEntries(table.map(({ id }) => [id, (options = {}) => ({ ...options, name: id })])),
) as ProtocolBuilders;
