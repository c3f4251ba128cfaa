/** A trusted agent: a worker of the page's own origin, which can reach all that the page can. */
import { RuntimeError } from "../core/errors.ts";
import { scriptURL } from "./script-url.ts";
import { faultText, type Carrier, type OnDeath } from "./spawn-carrier.ts";
import { fetchScript } from "./spawn-code.ts";

export interface WorkerOptions {
  readonly url: string;
  /** ms */
  readonly timeout: number;
}

/** @throws RuntimeError `agent/load-failed` when the page may not start workers from there */
export function startWorker({ url, timeout }: WorkerOptions, onDeath: OnDeath): Carrier {
  const control = new MessageChannel();
  const worker = createWorker(url);
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
      worker.terminate();
    },
  };
}

function createWorker(url: string): Worker {
  try {
    return new Worker(scriptURL(new URL(url, document.baseURI).href), { type: "module", name: url });
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
