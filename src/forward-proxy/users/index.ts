/** Users of the proxy: who they are, and whether somebody is one. */
export { parseUsers, userLimits, userNameFault } from './file.js';
export { type Credentials, gateLimits, type Judgement, UserGate } from './gate.js';
export { type Costs, memoryOf, parseHash } from './phc.js';
export { hashPassword } from './scrypt.js';
export { type UserTable, userTable } from './table.js';
