/**
 * Agents that are known and offered, without their workers: ten thousand of these would need twenty gigabytes. A page that
 * registers an agent starts one, so this speaks the host's protocol itself, as one more page that never carries out an order.
 */
import { workerName } from "../../src/client/places.ts";
import type { HostFrame, PageFrame } from "../../src/core/protocol.ts";
import { PROTOCOL, VERSION } from "../../src/core/version.ts";
import { capabilitiesOf } from "../document/core.ts";
import { demand } from "./measure.ts";

export interface Crowd {
  readonly ids: readonly string[];
  close(): void;
}

/** What the shared worker says of itself before it is a host's. */
type Heard = HostFrame | { readonly kind?: undefined; readonly signpost?: unknown };

export interface CrowdOptions {
  /** The host's, as for `connect`; with the same scripts (`assets`) it is the same host. */
  readonly name: string;
  readonly assets: string;
  readonly count: number;
  /** A capability that one of forty has beside its own. */
  readonly shared: string;
  /** True: each has a port that the host takes for its worker's. Nobody listens at the other end. Default false. */
  readonly linked?: boolean;
}

export async function openCrowd({ name, assets, count, shared, linked = false }: CrowdOptions): Promise<Crowd> {
  const url = new URL("shared-worker.js", new URL(assets, location.href)).href;
  const { port } = new SharedWorker(url, { type: "module", name: workerName(name) });
  const session = `crowd-${name}`;
  const lock = await holdLock(session);
  const post = (frame: PageFrame, transfer: Transferable[] = []): void => {
    port.postMessage(frame, transfer);
  };
  let mark = 0;
  const waiting: { readonly mark: number; readonly resolve: () => void; readonly reject: (error: Error) => void }[] =
    [];
  port.onmessage = ({ data }: MessageEvent<Heard>) => {
    if (data.kind === undefined) {
      if (data.signpost === "here") hello();
      return;
    }
    if (data.kind === "stopped") for (const one of waiting) one.reject(new Error(data.error.message));
    if (data.kind === "replies") {
      mark = data.mark;
      const [refused] = data.refused;
      if (refused) for (const one of waiting) one.reject(new Error(refused[1].message));
    }
    if (data.kind !== "welcome" && data.kind !== "replies") return;
    for (const one of waiting) if (one.mark <= mark) one.resolve();
  };
  const reached = (at: number): Promise<void> =>
    new Promise((resolve, reject) => waiting.push({ mark: at, resolve, reject }));
  const hello = (): void => {
    post({ kind: "hello", number: 1, protocol: PROTOCOL, version: VERSION, session, lock, listening: false });
  };
  const welcomed = reached(0);
  hello();
  await welcomed;
  const agents = Array.from({ length: count }, (_, at) => manifestOf(at, shared));
  for (let from = 0; from < count; from += 1_000) {
    const commands = agents.slice(from, from + 1_000).map((data) => ({ type: "agent.register", data }));
    const decided = reached(from + commands.length);
    post({ kind: "commands", first: from + 1, acknowledged: from, commands });
    await decided;
  }
  const ids = agents.map((agent) => `${agent.name}@1.0.0`);
  post({ kind: "offer", agents: ids, cores: 1 });
  const ends = linked ? ids.map((agent) => join(agent, post)) : [];
  return {
    ids,
    close() {
      for (const end of ends) end.close();
      post({ kind: "bye" });
      port.close();
    },
  };
}

/** The host lets the first worker of every agent in. */
function join(agent: string, post: (frame: PageFrame, transfer: Transferable[]) => void): MessagePort {
  const { port1, port2 } = new MessageChannel();
  post({ kind: "joined", link: `link-${agent}`, agent }, [port1]);
  return port2;
}

/** Held as long as the page lives: the host takes a page without its lock for gone. */
async function holdLock(session: string): Promise<string> {
  await new Promise<void>((resolve, reject) => {
    navigator.locks
      .request(session, () => {
        resolve();
        return new Promise(() => undefined);
      })
      .catch(reject);
  });
  return session;
}

function manifestOf(at: number, shared: string) {
  const capabilities = [...new Set([...capabilitiesOf(at), ...(at % 40 === 0 ? [shared] : [])])];
  demand(capabilities.length > 0, "a capability");
  const grants = { url: new URL("/nobody.js", location.href).href, trusted: true, network: [] };
  return { name: `agent${String(at)}`, version: "1.0.0", capabilities, ...grants, workers: 1, slots: 1 };
}
