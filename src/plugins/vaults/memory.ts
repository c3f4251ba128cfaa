/** Keeps secrets in memory, as long as the process lives. */
import type { Vault } from "../../core/ports.ts";

export function createMemoryVault(): Vault {
  const values = new Map<string, string>();
  return {
    get: (name) => Promise.resolve(values.get(name)),
    set(name, value) {
      values.set(name, value);
      return Promise.resolve();
    },
    delete: (name) => Promise.resolve(values.delete(name)),
    list: () => Promise.resolve([...values.keys()].sort()),
  };
}
