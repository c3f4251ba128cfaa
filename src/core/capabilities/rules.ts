import { RuntimeError } from "../errors.ts";
import { checkJson, decodeJson } from "../json.ts";
import type { Rules } from "../kernel.ts";
import {
  MAX_CAPABILITIES,
  MAX_SCHEMA,
  MAX_VERSIONS,
  type CapabilityCommands,
  type CapabilityEvents,
  type CapabilityVersion,
} from "./capability.ts";
import type { CapabilitiesState } from "./fold.ts";
import { checkSchema } from "./schema.ts";

export interface CapabilitiesView {
  readonly capabilities: CapabilitiesState;
}

export const capabilitiesRules: Rules<CapabilitiesView, CapabilityCommands, CapabilityEvents> = {
  decide: {
    "capability.register": ({ capabilities: { known } }, { replace, ...data }) => {
      const { name, version } = data;
      for (const part of ["input", "output"] as const) {
        const text = data[part];
        if (text !== undefined) checkSchema(decodeJson(checkJson(text, part, MAX_SCHEMA), part), part);
      }
      const versions = known.get(name)?.versions ?? [];
      const same = versions.find((one) => one.version === version);
      const differs = same ? FIELDS.filter((field) => textOf(same[field]) !== textOf(data[field])) : [];
      if (same && differs.length === 0) return [];
      if (same && !replace) throw new RuntimeError("capability/duplicate", { name, version, differs });
      if (!same && (versions.length >= MAX_VERSIONS || (versions.length === 0 && known.size >= MAX_CAPABILITIES)))
        throw new RuntimeError("runtime/limit", { name, names: MAX_CAPABILITIES, versions: MAX_VERSIONS });
      return [{ type: "capability.registered", data }];
    },
    "capability.unregister": ({ capabilities: { known } }, { name, version }) => {
      const versions = known.get(name)?.versions ?? [];
      if (!versions.some((one) => version === undefined || one.version === version))
        throw new RuntimeError("capability/unknown", { name, version });
      return [{ type: "capability.unregistered", data: { name, version } }];
    },
  },
};

const FIELDS = ["description", "input", "output", "defaults"] as const satisfies readonly (keyof CapabilityVersion)[];

function textOf(value: unknown): string | undefined {
  return JSON.stringify(value);
}
