import { copyJson } from "../json.ts";
import type { Fold, Table } from "../kernel.ts";
import { restoreTable, saveTable } from "../tables.ts";
import type { Capability, CapabilityEvents } from "./capability.ts";

export interface CapabilitiesState {
  /** By name. */
  readonly known: Table<Capability>;
}

export const capabilitiesFold: Fold<CapabilitiesState, CapabilityEvents> = {
  create: (kit) => ({ known: kit.table() }),
  apply: {
    "capability.registered": ({ known }, { name, ...version }) => {
      const others = known.get(name)?.versions.filter((one) => one.version !== version.version) ?? [];
      known.set(name, { id: name, versions: [...others, copyJson(version)] });
    },
    "capability.unregistered": ({ known }, { name, version }) => {
      const left = known.get(name)?.versions.filter((one) => version !== undefined && one.version !== version) ?? [];
      if (left.length > 0) known.set(name, { id: name, versions: left });
      else known.delete(name);
    },
  },
  save: ({ known }) => saveTable(known),
  restore({ known }, saved) {
    restoreTable(known, (saved ?? []) as Capability[]); // older snapshots have none
  },
};
