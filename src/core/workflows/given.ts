/** What a run is given: its input against the workflow's schema, and what the input says about the run itself. */
import { findFlaw } from "../capabilities/schema.ts";
import { RuntimeError } from "../errors.ts";
import { decodeJson, type JsonText } from "../json.ts";
import type { Calendar } from "../ports.ts";
import { isSpilled } from "../payload/reference.ts";
import { PRIORITIES, type Priority } from "../tasks/priority.ts";
import type { Graph } from "./graph.ts";

/** @throws RuntimeError `execution/input-invalid` with the place, and what is expected there */
export function checkGiven({ inputSchema }: Graph, workflow: string, input: JsonText): void {
  if (!inputSchema) return;
  const flaw = isSpilled(input)
    ? { at: "input", expected: "an input that is small enough to be looked into", found: "a blob" }
    : findFlaw(inputSchema, decodeJson(input, "input"), "input");
  if (flaw) throw new RuntimeError("execution/input-invalid", { workflow, ...flaw });
}

export interface Asked {
  readonly priority?: Priority;
  readonly deadline?: number;
}

/**
 * Priority and deadline where they stand in the input, as some callers give them: a priority's name, and milliseconds
 * since 1970 or a date and time with an offset. A field that the workflow's schema declares is its own, and so is a value
 * of another kind.
 */
export function askedIn({ inputSchema }: Graph, input: JsonText, calendar: Calendar): Asked {
  if (!input.startsWith("{") || isSpilled(input)) return {};
  if (!input.includes('"priority":') && !input.includes('"deadline":')) return {}; // most are never read here
  const { priority, deadline } = decodeJson(input, "input") as Readonly<Record<string, unknown>>;
  const isOwn = (name: string): boolean => Object.hasOwn(inputSchema?.properties ?? {}, name);
  const known = PRIORITIES.find((one) => one === priority);
  const moment = isOwn("deadline") ? undefined : momentOf(deadline, calendar);
  return {
    ...(known !== undefined && !isOwn("priority") && { priority: known }),
    ...(moment !== undefined && { deadline: moment }),
  };
}

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)$/u;

function momentOf(deadline: unknown, calendar: Calendar): number | undefined {
  if (typeof deadline === "number") return Number.isSafeInteger(deadline) && deadline >= 0 ? deadline : undefined;
  if (typeof deadline !== "string" || !ISO.test(deadline)) return undefined;
  try {
    return calendar.moment(deadline, undefined);
  } catch {
    return undefined; // as 2030-02-31
  }
}
