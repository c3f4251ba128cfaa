/** What is said of a capability, whoever offers it: what it takes and gives, and how its tasks are performed. */
import type { JsonText } from "../json.ts";
import type { Terms } from "../plugin.ts";
import type { Priority } from "../tasks/priority.ts";

/** Used for tasks that say nothing else. */
export interface CapabilityDefaults extends Terms {
  readonly priority?: Priority | undefined;
}

export interface CapabilityVersion {
  /** Without one it is for all versions that have none of their own. */
  readonly version?: string | undefined;
  readonly description?: string | undefined;
  /** Schemas as JSON text, see {@link JsonSchema}. */
  readonly input?: JsonText | undefined;
  readonly output?: JsonText | undefined;
  readonly defaults?: CapabilityDefaults | undefined;
}

export interface Capability {
  /** Its name. */
  readonly id: string;
  readonly versions: readonly CapabilityVersion[];
}

/** So many names can be registered, and so many versions of each. */
export const MAX_CAPABILITIES = 500;
export const MAX_VERSIONS = 8;

/** The longest text of one schema. */
export const MAX_SCHEMA = 32_768;

export interface CapabilityEvents {
  "capability.registered": CapabilityVersion & { readonly name: string };
  "capability.unregistered": { readonly name: string; readonly version?: string | undefined };
}

export interface CapabilityCommands {
  "capability.register": CapabilityEvents["capability.registered"] & { readonly replace?: boolean | undefined };
  /** One version, or all when none is named. */
  "capability.unregister": CapabilityEvents["capability.unregistered"];
}
