/** The origin's vault of secrets: in a process of its own, as the disk is, and with a history that can be asked. */
import type { Vault } from "../../core/ports.ts";
import { createMemoryVault } from "../../plugins/vaults/memory.ts";
import type { World } from "./world.ts";

export interface SimulatedVault {
  /** A vault for the process whose turn it is. */
  open(): Vault;
  /** What a name stood for since a moment of the world's time: values one after the other; undefined when there was none. */
  since(name: string, at: number): readonly (string | undefined)[];
}

/** `delay` draws the milliseconds that a request takes, and its answer. */
export function createSimulatedVault(world: World, delay: () => number): SimulatedVault {
  const memory = createMemoryVault();
  const process = world.start("disk", "vault");
  const history = new Map<string, { readonly at: number; readonly value: string | undefined }[]>();
  const note = (name: string, value: string | undefined): void => {
    history.set(name, [...(history.get(name) ?? []), { at: world.now(), value }]);
  };
  const ask = <T>(about: string, work: () => Promise<T>): Promise<T> => {
    const asker = world.current;
    if (!world.spend()) return new Promise(() => undefined);
    return new Promise((resolve, reject) => {
      world.plan(process, delay(), about, () => {
        work().then((value) => {
          world.plan(asker, delay(), `answer: ${about}`, () => {
            resolve(value);
          });
        }, reject);
      });
    });
  };
  return {
    open: () => ({
      get: (name) => ask(`secret ${name} is read`, () => memory.get(name)),
      set: (name, value) =>
        ask(`secret ${name} is set`, () => {
          note(name, value);
          return memory.set(name, value);
        }),
      delete: (name) =>
        ask(`secret ${name} is deleted`, () => {
          note(name, undefined);
          return memory.delete(name);
        }),
      list: () => ask("secrets are listed", () => memory.list()),
    }),
    since(name, at) {
      const all = history.get(name) ?? [];
      const before = all.findLastIndex((one) => one.at <= at);
      return [before < 0 ? undefined : all[before]?.value, ...all.slice(before + 1).map(({ value }) => value)];
    },
  };
}
