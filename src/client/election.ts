import { hostLock, officeLock } from "../core/locks.ts";
import type { Places } from "./places.ts";

/** This tab's stand for the office of hosting. */
export interface Election {
  /**
   * The host doesn't answer: if this tab is the elected one, it starts another when that one is known to be gone, or was
   * asked for long and nobody is host or wants to be: it has died before it could be known.
   */
  restart(gone: boolean): Promise<void>;
  close(): Promise<void>;
}

/** So often a host that doesn't answer is asked for before it is looked at whether there is one. */
const ASKED = 6;

/** Queues for the office; the tab that holds it runs the host in a worker, or in the page itself. */
export function stand(
  { name, version }: { readonly name: string; readonly version: string },
  mode: "elected" | "page",
  places: Places,
  onFailed: (reason: string) => void,
): Election {
  const leaving = new AbortController();
  const left = new Promise<void>((resolve) => {
    leaving.signal.addEventListener("abort", () => {
      resolve();
    });
  });
  let end: (() => Promise<void> | void) | undefined;
  let asked = 0;
  const startHost = async (): Promise<void> => {
    await end?.();
    if (mode === "page") {
      end = await places.page?.(name);
      return;
    }
    const worker = places.elected?.(name);
    if (!worker) return;
    let isUp = false;
    worker.onmessage = () => {
      isUp = true;
    };
    worker.onerror = (event) => {
      if (isUp) return; // an error of its later life is no reason to look for another way
      event.preventDefault();
      onFailed(event.message === "" ? "its script could not be loaded" : event.message);
      leaving.abort();
    };
    end = () => {
      worker.terminate();
    };
  };
  const office = async (): Promise<void> => {
    try {
      await startHost();
    } catch (error) {
      onFailed(error instanceof Error ? error.message : String(error));
      return;
    }
    await left;
    await end?.();
  };
  navigator.locks.request(officeLock(name, version), { signal: leaving.signal }, office).catch(() => undefined); // aborted while it waited
  return {
    async restart(gone) {
      if (!end) return;
      if (gone || (++asked % ASKED === 0 && !(await isHosted(name)))) await startHost();
    },
    async close() {
      leaving.abort();
      await end?.();
    },
  };
}

/** Whether somebody is host, or waits to be: then it is only slow. */
async function isHosted(name: string): Promise<boolean> {
  const { held = [], pending = [] } = await navigator.locks.query();
  return [...held, ...pending].some((lock) => lock.name === hostLock(name));
}
