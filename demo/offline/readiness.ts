/** Whether this page would come up without its server. */

/** `refused`: this browser, or this mode of it, keeps no copy; then the page needs its server, and nothing else changes. */
export type Readiness = "preparing" | "ready" | "refused";

interface Policies {
  createPolicy(
    name: "audit",
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

/** Starts the worker that keeps a copy of the page's files, and resolves when there is one, or can't be. */
export async function prepareOffline(base: URL): Promise<Readiness> {
  try {
    const { serviceWorker } = navigator as { readonly serviceWorker?: ServiceWorkerContainer };
    if (!serviceWorker) return "refused";
    const registration = await serviceWorker.register(workerURL(base), { updateViaCache: "none" });
    return (await ask(await activeWorker(registration))) ? "ready" : "refused";
  } catch {
    return "refused"; // a private window, a setting, or no room
  }
}

/** A service worker's URL is a script under Trusted Types; this policy vouches for this one alone. */
function workerURL(base: URL): string {
  const { trustedTypes } = globalThis as { readonly trustedTypes?: Policies };
  const url = new URL("offline.js", base).href;
  return trustedTypes?.createPolicy("audit", { createScriptURL: () => url }).createScriptURL("") ?? url;
}

/** The states are looked at, since WebKit doesn't always tell of them. */
async function activeWorker(registration: ServiceWorkerRegistration): Promise<ServiceWorker> {
  for (;;) {
    const { installing, waiting, active } = registration;
    if (!installing && !waiting && active) return active;
    if (!installing && !waiting) throw new TypeError("the worker could not be installed");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function ask(worker: ServiceWorker): Promise<boolean> {
  const { port1, port2 } = new MessageChannel();
  return new Promise((resolve) => {
    port1.onmessage = ({ data }: MessageEvent<boolean>) => {
      port1.close();
      resolve(data);
    };
    worker.postMessage("here", [port2]);
  });
}
