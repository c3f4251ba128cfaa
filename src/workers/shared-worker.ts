/** Entry of the SharedWorker: one per origin and name, the usual place of the host. */
import { createIndexedDbJournal } from "../plugins/journals/indexeddb.ts";
import { createIndexedDbVault } from "../plugins/vaults/indexeddb.ts";
import { VERSION } from "../core/version.ts";
import { bootHost } from "./boot.ts";

declare const self: SharedWorkerGlobalScope;

// The page names the worker `troupe:<protocol>:<name>`.
const name = self.name.split(":").slice(2).join(":");
const boot = bootHost({
  name,
  place: "shared",
  version: VERSION,
  openJournal: () => createIndexedDbJournal({ name }),
  vault: createIndexedDbVault({ name }),
});
self.onconnect = ({ ports: [port] }) => {
  if (port) boot.attach(port);
};
