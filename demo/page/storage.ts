/** What the browser gives this site to keep, and whether it has promised to keep it. */
import type { Ui } from "./state.ts";

const EVERY = 10_000;

/** Calls back with how things stand, now and then. Browsers without an answer are silent. */
export function watchStorage(told: (storage: NonNullable<Ui["storage"]>) => void): void {
  const look = async (): Promise<void> => {
    told(await storageNow());
  };
  look().catch(() => undefined);
  setInterval(() => {
    if (!document.hidden) look().catch(() => undefined);
  }, EVERY);
}

/** Asks the browser not to clear this site's data by itself; it may ask the person. */
export async function keepStorage(): Promise<NonNullable<Ui["storage"]>> {
  await navigator.storage.persist();
  return storageNow();
}

async function storageNow(): Promise<NonNullable<Ui["storage"]>> {
  const [{ usage = 0, quota = 0 }, persisted] = await Promise.all([
    navigator.storage.estimate(),
    navigator.storage.persisted(),
  ]);
  return { used: usage, quota, persisted };
}
