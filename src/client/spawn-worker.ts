/** A trusted agent: a worker of the page's own origin, which can reach all that the page can. */
import { RuntimeError } from "../core/errors.ts";
import { scriptURL } from "./script-url.ts";
import { faultText, type Carrier, type OnDeath, type OnMemory } from "./spawn-carrier.ts";
import { fetchScript } from "./spawn-code.ts";
import { markURL, watchMemory } from "./spawn-memory.ts";

export interface WorkerOptions {
  readonly url: string;
  /** ms */
  readonly timeout: number;
  /** Where its memory is to be watched. */
  readonly onMemory?: OnMemory | undefined;
}

/** @throws RuntimeError `agent/load-failed` when the page may not start workers from there */
export function startWorker({ url, timeout, onMemory }: WorkerOptions, onDeath: OnDeath): Carrier {
  const control = new MessageChannel();
  const life = new AbortController();
  const marked = onMemory && markURL(new URL(url, document.baseURI).href);
  const worker = createWorker(url, marked?.url);
  if (onMemory && marked) watchMemory(marked.mark, onMemory, life.signal);
  worker.onmessage = () => {
    worker.onmessage = null; // the first word says that it listens
    worker.postMessage("control", [control.port2]);
  };
  worker.onerror = (event: ErrorEvent | Event) => {
    event.preventDefault(); // or the page's own error handlers would get it too
    if ("message" in event) onDeath(faultText(event));
    else void explain(url, timeout).then(onDeath);
  };
  worker.onmessageerror = () => {
    onDeath("its worker posted what cannot be read");
  };
  return {
    control: control.port1,
    stop: () => {
      life.abort();
      worker.terminate();
    },
  };
}

function createWorker(url: string, marked = new URL(url, document.baseURI).href): Worker {
  try {
    return new Worker(scriptURL(marked), { type: "module", name: url });
  } catch (cause) {
    throw new RuntimeError("agent/load-failed", { url, reason: String(cause) }, { cause });
  }
}

/** A module that can't be had gives an event without a word. */
async function explain(url: string, timeout: number): Promise<string> {
  try {
    await fetchScript(url, timeout);
    return "a syntax error, an import that failed, or the page's Content-Security-Policy";
  } catch (error) {
    return error instanceof RuntimeError ? String(error.detail["reason"]) : String(error);
  }
}
