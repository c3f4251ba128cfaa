/**
 * The part of JSON Schema (2020-12) that capabilities are described in. There are no references and no patterns, so a
 * check ends, and costs no more than the value has parts times the schema has. What isn't stated here is refused where
 * a schema is registered, never ignored.
 */
import { RuntimeError } from "../errors.ts";

const TYPES = ["null", "boolean", "integer", "number", "string", "array", "object"] as const;
export type JsonType = (typeof TYPES)[number];
type Scalar = null | boolean | number | string;

export interface JsonSchema {
  readonly title?: string;
  readonly description?: string;
  readonly type?: JsonType | readonly JsonType[];
  readonly enum?: readonly Scalar[];
  readonly const?: Scalar;
  readonly anyOf?: readonly JsonSchema[];
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | JsonSchema;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly maxItems?: number;
  /** In code points. */
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
}

/** What is wrong with a value, and where: as `input.items[2].name`. */
export interface Flaw {
  readonly at: string;
  readonly expected: string;
  readonly found: string;
}

type Form = readonly [expected: string, holds: (argument: unknown) => boolean];

const isText = (value: unknown): boolean => typeof value === "string";
const isSchema = (value: unknown): boolean => isOf("object", value);
const isScalar = (value: unknown): boolean => typeof value !== "object" || value === null;
const isType = (value: unknown): boolean => TYPES.some((type) => type === value);
const isList = (value: unknown, holds: (one: unknown) => boolean): boolean =>
  Array.isArray(value) && value.length > 0 && value.every(holds);

const text: Form = ["a text", isText];
const schema: Form = ["a schema, which is an object", isSchema];
const size: Form = ["a whole number from 0", (value) => Number.isSafeInteger(value) && Number(value) >= 0];
const number: Form = ["a number", (value) => typeof value === "number"];
const KEYWORDS: Readonly<Record<keyof JsonSchema, Form>> = {
  title: text,
  description: text,
  type: [`one or a list of ${TYPES.join(", ")}`, (value) => isType(value) || isList(value, isType)],
  enum: ["a list of texts, numbers, booleans or null", (value) => isList(value, isScalar)],
  const: ["a text, a number, a boolean or null", isScalar],
  anyOf: ["a list of schemas", (value) => isList(value, isSchema)],
  properties: ["an object of schemas", isSchema],
  required: ["a list of names", (value) => Array.isArray(value) && value.every(isText)],
  additionalProperties: ["true, false or a schema", (value) => typeof value === "boolean" || isSchema(value)],
  items: schema,
  minItems: size,
  maxItems: size,
  minLength: size,
  maxLength: size,
  minimum: number,
  maximum: number,
};

/** @throws RuntimeError `capability/invalid` with the place of what is no schema of this subset. */
export function checkSchema(value: unknown, at: string): void {
  if (!isSchema(value)) throw invalid(flawOf(at, schema[0], value));
  for (const [keyword, argument] of Object.entries(value as object)) {
    const place = `${at}.${keyword}`;
    if (!Object.hasOwn(KEYWORDS, keyword))
      throw invalid(flawOf(place, `no other keyword than ${Object.keys(KEYWORDS).join(", ")}`, argument));
    const [expected, holds] = KEYWORDS[keyword as keyof JsonSchema];
    if (!holds(argument)) throw invalid(flawOf(place, expected, argument));
    if (keyword === "properties" || keyword === "anyOf")
      for (const [name, part] of Object.entries(argument as object)) checkSchema(part, `${place}.${name}`);
    else if (isSchema(argument)) checkSchema(argument, place);
  }
}

function invalid(flaw: Flaw): RuntimeError {
  return new RuntimeError("capability/invalid", { ...flaw });
}

/** The first thing that is wrong with the value; undefined when it is as the schema says. */
export function findFlaw(rules: JsonSchema, value: unknown, at: string): Flaw | undefined {
  const { type, anyOf } = rules;
  const types = type === undefined ? [] : [type].flat();
  if (types.length > 0 && !types.some((one) => isOf(one, value))) return flawOf(at, types.join(" or "), value);
  const expected = scalarFlaw(rules, value);
  if (expected !== undefined) return flawOf(at, expected, value);
  const part = Array.isArray(value) ? itemFlaw(rules, value, at) : isSchema(value) && fieldFlaw(rules, value, at);
  return part || (anyOf && branchFlaw(anyOf, value, at));
}

/** What is expected of a value that has no parts, or of how many it has. */
function scalarFlaw(rules: JsonSchema, value: unknown): string | undefined {
  if (rules.const !== undefined && value !== rules.const) return JSON.stringify(rules.const);
  if (rules.enum && !rules.enum.includes(value as Scalar)) return `one of ${clip(JSON.stringify(rules.enum))}`;
  if (typeof value === "number") return boundFlaw(value, rules.minimum, rules.maximum, "");
  if (Array.isArray(value)) return boundFlaw(value.length, rules.minItems, rules.maxItems, " items");
  const { minLength, maxLength } = rules;
  if (typeof value !== "string" || (minLength ?? maxLength) === undefined) return undefined;
  return boundFlaw(Array.from(value).length, minLength, maxLength, " characters");
}

function boundFlaw(count: number, least = -Infinity, most = Infinity, what: string): string | undefined {
  if (count < least) return `at least ${String(least)}${what}`;
  return count > most ? `at most ${String(most)}${what}` : undefined;
}

function itemFlaw({ items }: JsonSchema, list: readonly unknown[], at: string): Flaw | undefined {
  if (!items) return undefined;
  for (const [place, item] of list.entries()) {
    const flaw = findFlaw(items, item, `${at}[${String(place)}]`);
    if (flaw) return flaw;
  }
  return undefined;
}

function fieldFlaw(rules: JsonSchema, value: unknown, at: string): Flaw | undefined {
  const { properties = {}, required = [], additionalProperties = true } = rules;
  for (const name of required)
    if (!Object.hasOwn(value as object, name)) return flawOf(`${at}.${name}`, "something", undefined);
  for (const [name, field] of Object.entries(value as object)) {
    const rule = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
    if (rule === false) return flawOf(`${at}.${name}`, "no such field", field);
    const flaw = typeof rule === "object" ? findFlaw(rule, field, `${at}.${name}`) : undefined;
    if (flaw) return flaw;
  }
  return undefined;
}

/** Of the branches that all fail, the one that comes furthest says why. */
function branchFlaw(branches: readonly JsonSchema[], value: unknown, at: string): Flaw | undefined {
  const flaws: Flaw[] = [];
  for (const branch of branches) {
    const flaw = findFlaw(branch, value, at);
    if (!flaw) return undefined;
    flaws.push(flaw);
  }
  const far = flaws.reduce((one, other) => (other.at.length > one.at.length ? other : one));
  if (far.at !== at) return far;
  return flawOf(at, flaws.map(({ expected }) => expected).join(", or "), value);
}

function isOf(type: JsonType, value: unknown): boolean {
  if (type === "null") return value === null;
  if (type === "array") return Array.isArray(value);
  if (type === "integer") return Number.isInteger(value);
  return typeof value === type && value !== null && !Array.isArray(value);
}

function flawOf(at: string, expected: string, value: unknown): Flaw {
  return { at: clip(at), expected: clip(expected), found: clip(wordOf(value)) };
}

function wordOf(value: unknown): string {
  if (Array.isArray(value)) return `a list of ${String(value.length)}`;
  if (isSchema(value)) return "an object";
  return value === undefined ? "nothing" : JSON.stringify(value);
}

function clip(words: string): string {
  return words.length > MAX_WORDS ? `${words.slice(0, MAX_WORDS)}…` : words;
}

/** A detail of more than 4 kB would be left out of an error. */
const MAX_WORDS = 300;
