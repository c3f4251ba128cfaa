/** The real entries, with all that they load later loaded beforehand: what is read from a disk takes no virtual time. */
import type { Entries } from "../../src/testing/simulation/site.ts";

export async function loadEntries(): Promise<Entries> {
  // Comlink posts when its proxies are collected, which no seed rules.
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, "FinalizationRegistry");
  Reflect.deleteProperty(globalThis, "FinalizationRegistry");
  const [{ connect }, { bootHost }, { exposeAgent }] = await Promise.all([
    import("../../src/index.ts"),
    import("../../src/host.ts"),
    import("../../src/agent.ts"),
    import("../../src/client/spawner.ts"),
    import("../../src/client/later.ts"),
    import("../../src/client/payloads.ts"),
    import("../../src/client/streams.ts"),
    import("../../src/client/approval-requests.ts"),
  ]);
  if (descriptor) Object.defineProperty(globalThis, "FinalizationRegistry", descriptor);
  return { connect, bootHost, exposeAgent };
}
