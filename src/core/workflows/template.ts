/** What an approval node says that a schema can't check, and its message, in which values are put. */
import { checkSchema } from "../capabilities/schema.ts";
import { RuntimeError } from "../errors.ts";
import { encodeJson } from "../json.ts";
import type { WorkflowNode } from "./definition.ts";

const PLACEHOLDER = /\{\{(.*?)\}\}/gsu;
/** Of a value that is put in, and of the whole, in UTF-16 units. */
const MAX_VALUE = 1_000;
const MAX_MESSAGE = 16_384;

/** The name that the expression of a placeholder is planned under. */
export function placeholder(place: number): string {
  return `message.${String(place)}`;
}

/** The expressions in a message, by their names. */
export function placeholdersOf(message: string): Record<string, readonly [source: string]> {
  const found = [...message.matchAll(PLACEHOLDER)].map(([, source = ""]) => [source.trim()] as const);
  return Object.fromEntries(found.map((source, place) => [placeholder(place), source]));
}

/**
 * The message with the values in it: texts as they are, others as JSON. What would break the line or turn the direction
 * of writing could make it read otherwise, and is a space.
 */
export function filled(message: string, valueAt: (place: number) => unknown): string {
  let place = 0;
  return message
    .replace(PLACEHOLDER, (all) => {
      const value = valueAt(place++);
      if (value === undefined) return all; // of a release that put nothing in
      const text = typeof value === "string" ? value : encodeJson(value, "message");
      return clip(text.replace(/[\p{Cc}\p{Bidi_Control}]/gu, " "), MAX_VALUE);
    })
    .slice(0, MAX_MESSAGE);
}

function clip(text: string, limit: number): string {
  return text.length > limit ? `${text.slice(0, limit)}…` : text;
}

/** What doesn't go together. */
export function approvalFlaws(node: Extract<WorkflowNode, { type: "approval" }>): string[] {
  const { escalation = [], edit } = node;
  const flaws: string[] = [];
  const steps = [node, ...escalation];
  for (const [at, { approvers, need, timeout, onTimeout }] of steps.entries()) {
    const where = at === 0 ? "" : ` in step ${String(at)} of its escalation`;
    const isLast = at === escalation.length;
    if (approvers.length === 0 && (need === "all" || typeof need === "object"))
      flaws.push(`needs approvers, but names none${where}`);
    if (!isLast && timeout === undefined) flaws.push(`needs a timeout${where}, or it is never escalated`);
    if (!isLast && onTimeout !== undefined && onTimeout !== "escalate")
      flaws.push(`has a next step, but doesn't escalate${where}`);
    if (isLast && onTimeout === "escalate") flaws.push(`escalates${where}, but has no next step`);
  }
  try {
    if (edit) checkSchema(edit, "edit");
  } catch (error) {
    if (!(error instanceof RuntimeError)) throw error;
    flaws.push(`has a schema for edits that is none: ${error.message}`);
  }
  return flaws;
}
