/** What the runner fills a host with, to weigh it. */
import { connect, type Runtime } from "../../src/index.ts";
import { openCrowd } from "./crowd.ts";
import { demand } from "./measure.ts";

const ASSETS = "/bench/dist/host/";

export interface Weight {
  /** A page with a host of its own, and nothing in it. */
  open(name: string): Promise<void>;
  /** So many tasks wait from now on, in all, for an agent that nobody has. */
  queue(count: number): Promise<void>;
  /** So many agents are offered; linked: each with a worker that has nothing to do, but for the workers themselves. */
  crowd(count: number, linked: boolean): Promise<void>;
}

let runtime: Runtime | undefined;
let queued = 0;

function opened(): Runtime {
  if (!runtime) throw new Error("there is no host yet");
  return runtime;
}

export const weight: Weight = {
  async open(name) {
    runtime = await connect({ name, assets: ASSETS });
    queued = 0;
    await runtime.settled();
  },
  async queue(count) {
    const ours = opened();
    while (queued < count) {
      const more = Math.min(1_000, count - queued);
      for (let at = 0; at < more; at++) ours.createTask({ capabilities: ["nobody"], input: inputOf(queued + at) });
      queued += more;
      await ours.settled();
    }
    demand(ours.tasks.size === count, "so many tasks");
    demand(
      [...ours.tasks.values()].every(({ status }) => status === "queued"),
      "tasks that wait",
    );
  },
  async crowd(count, linked) {
    const ours = opened();
    const { ids } = await openCrowd({ name: ours.name, assets: ASSETS, count, shared: "nothing", linked });
    const links = linked ? 1 : 0;
    const isThere = (id: string): boolean =>
      ours.agents.get(id)?.status === "idle" && ours.agents.get(id)?.links === links;
    while (!ids.every(isThere)) await new Promise((resolve) => setTimeout(resolve, 50));
    demand(ours.agents.size === count, "so many agents");
  },
};

/** Of 60 characters, about. */
const inputOf = (at: number): object => ({ url: "https://example.org/a/path", n: at, flags: ["a", "b"] });
