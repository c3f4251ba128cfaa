/**
 * Frames of a host to a page, bent. A page trusts its host, which is of its own origin, so it may throw or show nonsense;
 * but it doesn't hang, no prototype changes, and neither the host nor another page takes harm.
 */
import { FLOW } from "../scene.ts";
import { Finding, type Door } from "../door.ts";
import { bend } from "../schema.ts";
import { drawPosted } from "../values.ts";
import { openPage } from "./handle.ts";

interface Port {
  onmessage: ((event: { readonly data: unknown; readonly ports: readonly unknown[] }) => void) | null;
}

type SharedWorkerClass = new (...args: readonly unknown[]) => { readonly port: Port };

/** Steps and virtual milliseconds for what comes of a frame. */
const STEPS = 300;
const SPAN = 300;

export const host: Door = {
  name: "host",
  length: 20,
  async open(tape, look) {
    const ports: Port[] = [];
    const { site, page, runtime } = await openPage(tape, () => {
      const scope = globalThis as unknown as { SharedWorker: SharedWorkerClass };
      const Real = scope.SharedWorker;
      scope.SharedWorker = function SharedWorker(...args: readonly unknown[]) {
        const worker = new Real(...args);
        ports.push(worker.port);
        return worker;
      } as unknown as SharedWorkerClass;
    });
    const { world } = site;
    const seen: unknown[] = [];
    const uncaught: unknown[] = [];
    world.onUncaught((_process, error) => uncaught.push(error));
    const [port] = ports;
    const hear = port?.onmessage;
    if (!port || !hear) throw new Finding("scene", "the page has no port");
    port.onmessage = (event) => {
      if (seen.length < 60) seen.push(structuredClone(event.ports.length > 0 ? null : event.data));
      hear(event);
    };
    const pass = (): Promise<void> => {
      const until = world.now() + SPAN;
      return world.run(() => world.now() > until, STEPS);
    };
    runtime.on("event", () => undefined);
    site.act(page.process, "work", () => {
      runtime.startWorkflow(FLOW.id, {});
      runtime.createTask({ capabilities: ["work"], input: 1 });
    });
    await pass();
    return {
      async turn() {
        const frame =
          tape.once(15) || seen.length === 0 ? drawPosted(tape) : bend(tape, structuredClone(tape.pick(seen)));
        look.input(frame);
        site.act(page.process, "a frame", () => {
          hear({ data: structuredClone(frame), ports: [] });
        });
        await pass();
        look.outcome(uncaught.splice(0).length > 0 ? "thrown" : "taken");
      },
      async close() {
        const state = { isServed: false };
        site.openPage("another page", ["shared"], ({ runtime: other }) => {
          void other
            ?.settled(other.createTask({ capabilities: ["nobody"], input: 1 }))
            .then(() => (state.isServed = true));
        });
        const served = (): boolean => state.isServed;
        await world.run(served, 20_000);
        if (!served()) throw new Finding("no probe", "another page can't make a task any more");
      },
      drop() {
        site.close();
      },
    };
  },
};
