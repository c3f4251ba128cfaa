/** `troupe/health`: agents that check themselves, and are replaced when they are unwell. */
export { checked, type Checked, type HealthOptions } from "./workers/health.ts";
