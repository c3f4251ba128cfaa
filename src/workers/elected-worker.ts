/** Entry of the worker that the elected tab starts where there is no SharedWorker; pages reach it over the channel. */
import { createIndexedDbJournal } from "../plugins/journals/indexeddb.ts";
import { createIndexedDbVault } from "../plugins/vaults/indexeddb.ts";
import { VERSION } from "../core/version.ts";
import { bootHost } from "./boot.ts";

declare const self: DedicatedWorkerGlobalScope;

const name = self.name.split(":").slice(2).join(":");
self.postMessage("up");
bootHost({
  name,
  place: "elected",
  version: VERSION,
  openJournal: () => createIndexedDbJournal({ name }),
  vault: createIndexedDbVault({ name }),
});
