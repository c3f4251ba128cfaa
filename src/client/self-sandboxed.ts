/** Cells behind a service worker, which answers no frame that its page sandboxes. */

/**
 * Whether the answer at the URL says by its own header that it has no origin: then its frame needn't say it, and a page
 * that works offline can have cells. Only asked where a service worker could answer. The cell runs no code if it has an
 * origin after all, so a false header gains nobody anything.
 */
export async function isSelfSandboxed(url: string): Promise<boolean> {
  const { serviceWorker } = navigator as { readonly serviceWorker?: ServiceWorkerContainer };
  if (!serviceWorker?.controller || new URL(url).origin !== location.origin) return false;
  try {
    const { headers } = await fetch(url);
    return SANDBOX.test(headers.get("content-security-policy") ?? "");
  } catch {
    return false; // the frame will tell
  }
}

/** Exactly the flags that the frame would set. */
const SANDBOX = /(?:^|;)\s*sandbox\s+allow-scripts\s*(?:;|$)/iu;
