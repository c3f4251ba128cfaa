import * as v from "valibot";
import { EVERY_TASK } from "./limit.ts";

/** 1 to 64 characters of one line. */
const name = v.pipe(v.string(), v.regex(/^[^\n]{1,64}$/u, "1 to 64 characters of one line"));
const whole = (least: number, most: number): v.GenericSchema<number> =>
  v.pipe(v.number(), v.integer(), v.minValue(least), v.maxValue(most));

const RateSchema = v.strictObject({
  count: whole(1, 1_000_000),
  /** Milliseconds, at most a day. */
  per: whole(1, 86_400_000),
  burst: v.optional(whole(1, 1_000_000)),
});

/** What `setLimit` takes, with the name. */
export const LimitSetSchema = v.pipe(
  v.strictObject({
    name,
    concurrency: v.optional(whole(0, 1_000_000)),
    rate: v.optional(RateSchema),
    perKey: v.optional(v.boolean()),
  }),
  v.check(({ concurrency, rate }) => concurrency !== undefined || rate !== undefined, "concurrency or rate is needed"),
  v.check((limit) => limit.name !== EVERY_TASK || !limit.perKey, "the limit of every task has no keys"),
);

export const LimitRemoveSchema = v.strictObject({ name });
