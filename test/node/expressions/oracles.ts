/** Two other implementations of CEL, made to answer in the terms of ours. */
import { isCelError, isCelList, isCelMap, run as runBufbuild, type CelInput } from "@bufbuild/cel";
import { evaluate as runMarcbachmann } from "@marcbachmann/cel-js";

export type Answer = { readonly value: unknown } | { readonly error: string };

/** @bufbuild/cel follows the specification closely, and checks no types before it runs. */
export function askBufbuild(source: string, scope: Record<string, unknown>): Answer {
  const bindings = Object.fromEntries(Object.entries(scope).map(([name, value]) => [name, toCel(value)]));
  const result = runBufbuild(source, bindings);
  return isCelError(result) ? { error: result.message } : { value: plain(result) };
}

/** @marcbachmann/cel-js refuses what mixes types, even where it is not evaluated. */
export function askMarcbachmann(source: string, scope: Record<string, unknown>): Answer {
  try {
    return { value: plain(runMarcbachmann(source, scope)) };
  } catch (error) {
    return { error: String(error) };
  }
}

function toCel(value: unknown): CelInput {
  if (Array.isArray(value)) return value.map(toCel);
  if (typeof value !== "object" || value === null) return value as CelInput;
  return new Map(Object.entries(value).map(([key, item]) => [key, toCel(item)]));
}

function plain(value: unknown): unknown {
  if (typeof value === "bigint") return Number(value);
  if (typeof value === "number") return value + 0;
  if (isCelList(value) || Array.isArray(value)) return [...value].map(plain);
  if (isCelMap(value) || value instanceof Map) return plainEntries(value.entries() as Iterable<[unknown, unknown]>);
  return typeof value === "object" && value !== null ? plainEntries(Object.entries(value)) : value;
}

function plainEntries(entries: Iterable<readonly [unknown, unknown]>): object {
  return Object.fromEntries([...entries].map(([key, value]) => [String(key), plain(value)]));
}
