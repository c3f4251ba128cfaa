import { PROTOCOL } from "../core/version.ts";

/** How the places of a host are started; entries of the package fill it in. */
export interface Places {
  readonly shared?: ((name: string) => SharedWorker) | undefined;
  readonly elected?: ((name: string) => Worker) | undefined;
  /** Starts a host in this page; the returned function ends it. */
  readonly page?: ((name: string) => Promise<() => Promise<void>>) | undefined;
}

/** The name of a worker that hosts: two protocols never share one. */
export function workerName(name: string): string {
  return `troupe:${String(PROTOCOL)}:${name}`;
}
