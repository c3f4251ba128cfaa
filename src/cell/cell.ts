/**
 * The cell: a page without an origin that runs one agent's code in a worker. It is framed by `sandbox="allow-scripts"`,
 * limits itself to the hosts in its URL's fragment before anything else, and then starts what its parent posts.
 */
import type { MemoryMeter } from "../core/agents/memory.ts";

const HOST: RegExp = /^https?:\/\/[A-Za-z0-9.-]+(?::\d{1,5})?$/u;

/** What the parent posts, with the worker's control port and a port for reports. */
interface Start {
  readonly code: ArrayBuffer;
  readonly name: string;
  /** Its memory is to be told, as far as the browser tells it, and again after so many milliseconds. */
  readonly weighEvery?: number | undefined;
}

limit(decodeURIComponent(location.hash.slice(1)).split(" "));
// With an origin, this page would run the code of whoever frames it, as a worker of that origin.
if (self.origin === "null") self.addEventListener("message", receive);

/** Allows the worker, and whatever that starts, nothing but itself and connections to the hosts. */
function limit(hosts: readonly string[]): void {
  const allowed = hosts.filter((host) => HOST.test(host)).join(" ") || "'none'";
  const policy = document.createElement("meta");
  policy.httpEquiv = "Content-Security-Policy";
  // The code may be anything already: compiling WebAssembly gives it no more reach, and an interpreter needs it.
  policy.content = `default-src 'none'; script-src blob: 'wasm-unsafe-eval'; worker-src blob:; connect-src ${allowed}`;
  document.head.append(policy);
}

function receive({ source, data, ports: [control, reports] }: MessageEvent<Start>): void {
  if (source !== parent || !control || !reports) return;
  self.removeEventListener("message", receive);
  reports.postMessage({ kind: "started" });
  const url = URL.createObjectURL(new Blob([data.code], { type: "text/javascript" }));
  const worker = new Worker(url, { name: data.name }); // classic: Chromium starts no module here
  worker.onmessage = () => {
    worker.onmessage = null; // the first word says that it listens
    worker.postMessage("control", [control]);
    setTimeout(URL.revokeObjectURL, 1_000, url); // while the script still starts, WebKit would hide its errors
  };
  worker.onerror = ({ message, lineno, colno }) => {
    reports.postMessage({ kind: "error", message, lineno, colno });
  };
  if (data.weighEvery !== undefined) void weigh(reports, data.weighEvery);
  worker.onmessageerror = () => {
    reports.postMessage({ kind: "messageerror" });
  };
}

/** Tells what the frame takes. It ends with the worker, and this with the frame. */
async function weigh(reports: MessagePort, every: number): Promise<void> {
  const meter: MemoryMeter = performance as MemoryMeter;
  for (;;) {
    const measured = await meter.measureUserAgentSpecificMemory?.().catch(() => undefined);
    if (!measured) return; // it can't be told here
    reports.postMessage({ kind: "memory", measured });
    await new Promise((resolve) => setTimeout(resolve, every));
  }
}
