/** The names of the Web Locks: who may serve, who serves, who lives. */

/** Who holds it may be the host. */
export function hostLock(name: string): string {
  return `troupe:${name}:host`;
}

/** Held by one host while it serves: pages wait for it, and so learn of its end also when the next one queues already. */
export function lifeLock(name: string, epoch: number): string {
  return `troupe:${name}:host:${String(epoch)}`;
}

/** Held by the tab that starts hosts of this version: a newer one must be able to ask an older host to step aside. */
export function officeLock(name: string, version: string): string {
  return `troupe:${name}:office:${version}`;
}

/** Held by a page while it lives. */
export function pageLock(name: string, session: string): string {
  return `troupe:${name}:page:${session}`;
}
