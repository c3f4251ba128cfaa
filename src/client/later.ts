/** Calls that few pages make: all of it is loaded with the first one. Each takes the connection, and then what the page gives. */
export { registerCapability, unregisterCapability } from "./capabilities.ts";
export { listDeadLetters as deadLetters } from "./dead-letters.ts";
export { explain, whyWaiting } from "./explaining.ts";
export { migrate, nextFireTimes, publish, rollback, schedule, schedules, unschedule, versions } from "./timing.ts";
