/** The agent of the other suites, in a thread that counts. */
import "./as-worker.ts";
import "../echo-agent.ts";
