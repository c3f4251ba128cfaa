/** What is known of a value before there is one: nothing at all, or what kinds it may be of, and its parts. */
import type { JsonSchema, JsonType } from "../../capabilities/schema.ts";

export type Kind = Exclude<JsonType, "integer">;

/** What is absent isn't known. */
export interface Shape {
  readonly kinds?: ReadonlySet<Kind>;
  /** Of a map; a field may be missing unless it is among `has`. */
  readonly fields?: ReadonlyMap<string, Shape>;
  readonly has?: ReadonlySet<string>;
  /** True: it has no other fields. */
  readonly isClosed?: boolean;
  /** Of a list: every item. */
  readonly items?: Shape;
  /** Of a list whose items are written down. */
  readonly parts?: readonly Shape[];
  /** The value itself. */
  readonly is?: { readonly value: unknown };
}

export const ANYTHING: Shape = {};

export function ofKind(...kinds: readonly Kind[]): Shape {
  return { kinds: new Set(kinds) };
}

export function kindOf(value: unknown): Kind {
  if (value === null) return "null";
  if (Array.isArray(value)) return "array";
  const kind = typeof value;
  return kind === "string" || kind === "number" || kind === "boolean" ? kind : "object";
}

const MAX_DEPTH = 16;

/** What a value that a schema accepts looks like. */
export function shapeOf(schema: JsonSchema | undefined, depth = 0): Shape {
  if (!schema || depth > MAX_DEPTH) return ANYTHING;
  const { type, properties, required, additionalProperties, items, anyOf } = schema;
  const values = schema.const !== undefined ? [schema.const] : schema.enum;
  if (values) return { kinds: new Set(values.map(kindOf)), ...(values.length === 1 && { is: { value: values[0] } }) };
  if (anyOf && type === undefined) return anyOf.map((branch) => shapeOf(branch, depth + 1)).reduce(either);
  const kinds = type === undefined ? undefined : new Set([type].flat().map(plainKind));
  const fields = Object.entries(properties ?? {}).map(([name, part]) => [name, shapeOf(part, depth + 1)] as const);
  return {
    ...(kinds && { kinds }),
    ...(properties && { fields: new Map(fields) }),
    ...(required && { has: new Set(required) }),
    ...(additionalProperties === false && { isClosed: true }),
    ...(items && { items: shapeOf(items, depth + 1) }),
  };
}

function plainKind(type: JsonType): Kind {
  return type === "integer" ? "number" : type;
}

/** One of two: what both have in common is known. */
export function either(one: Shape, other: Shape): Shape {
  if (!one.kinds || !other.kinds) return ANYTHING;
  return { kinds: new Set([...one.kinds, ...other.kinds]) };
}

/** What surely hinders a value of this shape from being what the schema takes; undefined: it may fit. */
export function misfit(schema: JsonSchema, shape: Shape, at: string, depth = 0): string | undefined {
  const wanted = shapeOf(schema);
  if (depth > MAX_DEPTH || !shape.kinds) return undefined;
  const { kinds } = shape;
  if (wanted.kinds && ![...kinds].some((kind) => wanted.kinds?.has(kind)))
    return `${at} is ${words(kinds)}, and ${words(wanted.kinds)} is taken`;
  const { is } = shape;
  const choices = schema.const !== undefined ? [schema.const] : schema.enum;
  if (is && choices && !choices.some((choice) => choice === is.value))
    return `${at} is ${JSON.stringify(is.value)}, and one of ${JSON.stringify(choices)} is taken`;
  const branches = schema.anyOf?.map((branch) => misfit(branch, shape, at, depth + 1));
  if (branches && branches.length > 0 && !branches.includes(undefined)) return branches[0];
  if (kinds.size > 1) return undefined; // its parts matter only if it is of that kind
  return fieldMisfit(schema, shape, at, depth) ?? itemMisfit(schema, shape, at, depth);
}

function fieldMisfit(schema: JsonSchema, shape: Shape, at: string, depth: number): string | undefined {
  if (!shape.kinds?.has("object")) return undefined;
  const { properties = {}, required = [], additionalProperties = true } = schema;
  const { fields, has, isClosed } = shape;
  const missing = required.find((name) => isClosed && !fields?.has(name));
  if (missing !== undefined) return `${at}.${missing} is missing`;
  for (const [name, field] of fields ?? []) {
    if (!has?.has(name)) continue;
    const rule = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (rule === false) return `${at}.${name} is not taken`;
    const flaw = typeof rule === "object" ? misfit(rule, field, `${at}.${name}`, depth + 1) : undefined;
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

function itemMisfit({ items, minItems = 0, maxItems }: JsonSchema, shape: Shape, at: string, depth: number) {
  const { parts } = shape;
  if (!shape.kinds?.has("array") || !parts) return undefined; // another list may be empty
  if (parts.length < minItems)
    return `${at} has ${String(parts.length)} items, and at least ${String(minItems)} is taken`;
  if (maxItems !== undefined && parts.length > maxItems)
    return `${at} has ${String(parts.length)} items, and at most ${String(maxItems)} is taken`;
  if (!items) return undefined;
  for (const [place, part] of parts.entries()) {
    const flaw = misfit(items, part, `${at}[${String(place)}]`, depth + 1);
    if (flaw !== undefined) return flaw;
  }
  return undefined;
}

const WORDS: Readonly<Record<Kind, string>> = {
  null: "null",
  boolean: "true or false",
  number: "a number",
  string: "a text",
  array: "a list",
  object: "an object",
};

export function words(kinds: ReadonlySet<Kind>): string {
  return [...kinds].map((kind) => WORDS[kind]).join(" or ");
}
