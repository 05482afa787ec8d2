/** The library: what `import … from 'anyport'` has. Nothing here loads the addon before `listen`. */

export {
  type DatagramHandler,
  datagramHandler,
  type Handler,
  type HandlerSession,
} from './handlers/handler.js';
export { type KcpCloseReason, KcpError, type KcpErrorCode } from './kcp/error.js';
export type { KcpSocket, KcpSocketStats } from './kcp/socket.js';
export { createAnyport } from './library/anyport.js';
export { type BuiltInId, type BuiltInOptions, type ProtocolBuilders, protocols } from './library/builders.js';
export { AnyportError, type AnyportErrorCode, type ConfigProblem } from './library/error.js';
export type { AnyportEvents } from './library/events.js';
export {
  type BuiltInProtocol,
  type Identification,
  type IdentifyOptions,
  identify,
  protocolTable,
} from './library/identify.js';
export {
  connectKcp,
  createKcpServer,
  type KcpCloseOptions,
  type KcpConnectOptions,
  type KcpOptions,
  type KcpServer,
} from './library/kcp.js';
export type * from './library/options.js';
export type { Anyport, BanOptions, CloseOptions, Listening, ProtocolChanges } from './library/types.js';
export type { Ban, BanCause } from './model/ban.js';
export type { Diff, DiffItem, DiffKind, FieldChange } from './model/diff.js';
export type { Facts } from './model/facts.js';
export type { KcpFigures } from './model/kcp-links.js';
export type { Transport } from './model/protocol.js';
export type { EndedSession, EndpointChange } from './model/report.js';
export type { Closing, Ender, Reason, Stage } from './model/session.js';
export type * from './model/snapshot.js';
