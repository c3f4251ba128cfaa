/** Fields that several parts of a definition have. */
import * as v from "valibot";
import type { Json } from "../json.ts";
import { workFields } from "../tasks/order.ts";

/** A node's id is an identifier, so that expressions can name it. */
export const id = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z_]\w{0,63}$/u, "an id is a letter or '_', then letters, digits or '_', up to 64"),
  v.notValue("__proto__", "no node can have this id"),
  v.notValue("constructor", "no node can have this id"),
  v.notValue("prototype", "no node can have this id"),
);
/** Scope: `input`, `nodes.<id>.output`, behind an error edge `error`; in a map `item` and `index`, in a loop `index` and `last`. */
export const expression = v.pipe(v.string(), v.minLength(1), v.maxLength(4_096));
export const title = v.optional(v.pipe(v.string(), v.maxLength(200)));
export const timeout = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(365 * 86_400_000));

/** A variable's name, as a node's id. */
const variable = id;
/** What the node's completion does to variables, by name: `last` and the others take a value, `append` an element. */
const set = v.optional(v.pipe(v.record(variable, expression), v.maxEntries(100)));
export const common = { id, title, set };

/** A value that JSON can hold; its depth is bounded with the definition's. */
const json = v.custom<Json>(
  (value) =>
    value !== undefined && typeof value !== "function" && typeof value !== "symbol" && typeof value !== "bigint",
);

/** What a run remembers beside outputs. Every write goes through its rule, so that none of two branches' writes is lost. */
export const VariableSchema = v.strictObject({
  type: v.picklist(["string", "number", "boolean", "list", "map", "any"]),
  /** Default: 0 for a sum, an empty list for a list, and else null, which stands for no value of any type. */
  initial: v.optional(json),
  /**
   * last: the value replaces the one before (the default) · sum, max, min: of numbers · append: it becomes the last
   * element of the list · union: those of its elements that the list doesn't have yet.
   */
  merge: v.optional(v.picklist(["last", "append", "sum", "max", "min", "union"]), "last"),
});
export type Variable = v.InferOutput<typeof VariableSchema>;

export const variables = v.optional(v.pipe(v.record(variable, VariableSchema), v.maxEntries(100)));

const { title: _, ...work } = workFields;
export { work };

export const workflowId = v.pipe(v.string(), v.regex(/^[A-Za-z0-9][\w.-]{0,63}$/u, "letters, digits, '_', '.', '-'"));
