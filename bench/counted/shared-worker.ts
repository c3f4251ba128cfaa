/** The host as it is published, in a thread that counts. */
import "./as-host.ts";
import "../../src/workers/shared-worker.ts";
