/** `troupe/host`: the host for places of your own. */
export { hostLock } from "./core/locks.ts";
export { bootHost, type Boot, type BootOptions } from "./workers/boot.ts";
export type { Identify, IdentityClaim } from "./workers/approving.ts";
export { sha256, withAudit, type AuditOptions } from "./workers/audit.ts";
export { startHost, type Host, type HostOptions } from "./workers/host.ts";
export { createIndexedDbJournal } from "./plugins/journals/indexeddb.ts";
export { createMemoryJournal } from "./plugins/journals/memory.ts";
export { createIndexedDbVault } from "./plugins/vaults/indexeddb.ts";
export { createMemoryVault } from "./plugins/vaults/memory.ts";
export type { Vault } from "./core/ports.ts";
