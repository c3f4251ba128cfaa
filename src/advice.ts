/** `troupe/advice`: what could be set better, read from what has run. */
export { advise, type Advice, type AdviceOptions } from "./client/advice.ts";
