/** What is registered for a need: its own name's, and where that says nothing, that of a name above it. */
import { encodeRefusal, RuntimeError, type ErrorData } from "../errors.ts";
import { decodeJson, type JsonText } from "../json.ts";
import { isSpilled, MAX_INLINE } from "../payload/reference.ts";
import { compareVersions, inRange, parseRange, parseVersion, type Version } from "../versions.ts";
import type { Capability, CapabilityDefaults, CapabilityVersion } from "./capability.ts";
import type { CapabilitiesState } from "./fold.ts";
import { findFlaw, type JsonSchema } from "./schema.ts";

/** A default for tasks of the need: for `code.refactor`, what `code` has where `code.refactor` has none. */
export function defaultOf<K extends keyof CapabilityDefaults>(
  state: CapabilitiesState,
  need: string,
  field: K,
): CapabilityDefaults[K] {
  return find(state, need, ({ defaults }) => defaults?.[field]);
}

/** What was registered, as far as it is asked for here. */
export interface KnownCapabilities {
  readonly known: { readonly size: number; get(name: string): Capability | undefined };
}

/** The schema of the inputs or outputs of tasks of the need. */
export function schemaFor(state: KnownCapabilities, need: string, part: "input" | "output"): JsonSchema | undefined {
  const owner = find(state, need, (version) => (version[part] === undefined ? undefined : version));
  return owner && schemaOf(owner, part);
}

/** The core can't read blobs, and what can't be checked isn't let through. */
const UNREAD = { expected: `at most ${String(MAX_INLINE)} characters, since it has a schema` } as const;

/** Why the text can't be the input or the output of a task of the need. */
export function flawOf(
  state: CapabilitiesState,
  need: string,
  part: "input" | "output",
  text: JsonText,
): ErrorData | undefined {
  const owner = find(state, need, (version) => (version[part] === undefined ? undefined : version));
  if (!owner) return undefined;
  const code = part === "input" ? "task/input-invalid" : "agent/output-invalid";
  try {
    const flaw = isSpilled(text) ? UNREAD : findFlaw(schemaOf(owner, part), decodeJson(text, part), part);
    if (!flaw) return undefined;
    throw new RuntimeError(code, { capability: need, ...flaw });
  } catch (error) {
    return { ...encodeRefusal(error), code, retryable: false };
  }
}

function find<T>(
  { known }: KnownCapabilities,
  need: string,
  read: (version: CapabilityVersion) => T | undefined,
): T | undefined {
  if (known.size === 0) return undefined;
  const [full = "", range] = need.split("@");
  for (let name = full; name !== ""; name = name.slice(0, Math.max(0, name.lastIndexOf(".")))) {
    const version = pick(known.get(name), range);
    const found = version && read(version);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** For a range: the newest version in it, else what has no version; without one, what has none, else the newest. */
function pick(capability: Capability | undefined, range: string | undefined): CapabilityVersion | undefined {
  if (!capability) return undefined;
  const bounds = range === undefined ? undefined : parseRange(range);
  let plain: CapabilityVersion | undefined;
  let best: readonly [Version, CapabilityVersion] | undefined;
  for (const one of capability.versions) {
    const version = parseVersion(one.version ?? "");
    if (!version) plain = one;
    else if ((!bounds || inRange(version, bounds)) && (!best || compareVersions(version, best[0]) > 0))
      best = [version, one];
  }
  return bounds ? (best?.[1] ?? plain) : (plain ?? best?.[1]);
}

/** Schemas that were read, as long as their records live. */
const read = new WeakMap<CapabilityVersion, Map<string, JsonSchema>>();

function schemaOf(owner: CapabilityVersion, part: "input" | "output"): JsonSchema {
  const schemas = read.get(owner) ?? new Map<string, JsonSchema>();
  read.set(owner, schemas);
  const known = schemas.get(part) ?? (decodeJson(owner[part] ?? "{}", part) as JsonSchema); // checked when it was registered
  schemas.set(part, known);
  return known;
}
