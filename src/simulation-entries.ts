/** What a simulation runs: the public entries, with all that they load later loaded beforehand, since that takes no virtual time. */
import type { Entries } from "./testing/simulation/site.ts";

export async function loadEntries(): Promise<Entries> {
  // Comlink posts when its proxies are collected, which no seed rules: without the class it doesn't.
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, "FinalizationRegistry");
  Reflect.deleteProperty(globalThis, "FinalizationRegistry");
  try {
    const [{ connect }, { bootHost }, { exposeAgent }] = await Promise.all([
      import("./index.ts"),
      import("./host.ts"),
      import("./agent.ts"),
      import("./client/spawner.ts"),
      import("./client/later.ts"),
      import("./client/payloads.ts"),
      import("./client/streams.ts"),
      import("./client/approval-requests.ts"),
    ]);
    return { connect, bootHost, exposeAgent };
  } finally {
    if (descriptor) Object.defineProperty(globalThis, "FinalizationRegistry", descriptor);
  }
}
