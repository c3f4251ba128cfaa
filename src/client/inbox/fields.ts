/** The parts of a payload that can be changed, as fields: of a map those that its schema names, else the whole as JSON. */
import type { JsonSchema } from "../../core/capabilities/schema.ts";
import { RuntimeError } from "../../core/errors.ts";
import type { Json } from "../../core/json.ts";
import { element } from "./parts.ts";

export interface Fields {
  readonly elements: readonly HTMLElement[];
  /** Shows another payload; what was written stays. Gives whether there was any. */
  show(payload: unknown): boolean;
  /** As it should be; undefined when nothing was written. @throws RuntimeError `json/invalid` */
  read(): Json | undefined;
  /** Forgets what was written. */
  clear(): void;
}

type Control = HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement;

interface Field {
  readonly name: string | undefined;
  readonly label: string;
  readonly control: Control;
  readonly isText: boolean;
  /** What stands there while nothing is written. */
  shown: string;
}

/** Fields for values like the first one. */
export function createFields(schema: JsonSchema, first: unknown): Fields {
  const isMap = typeof first === "object" && first !== null && !Array.isArray(first);
  const parts = Object.entries((isMap && schema.properties) || {});
  const fields = parts.length === 0 ? [fieldOf(schema)] : parts.map(([name, part]) => fieldOf(part, name));
  let payload: unknown;
  const written = (): Field[] => fields.filter(({ control, shown }) => control.value !== shown);
  const fill = (all: readonly Field[]): void => {
    for (const field of all) {
      field.control.value = field.shown;
      field.shown = field.control.value; // the control has its own line ends
    }
  };
  return {
    elements: fields.map(({ control, label }) => element("label", {}, label, control)),
    show(next) {
      payload = next;
      const kept = written();
      for (const field of fields) field.shown = shownOf(field, next);
      fill(fields.filter((field) => !kept.includes(field)));
      return written().length > 0;
    },
    read() {
      const changed = written();
      const [first] = changed;
      if (!first) return undefined;
      if (first.name === undefined) return valueOf(first);
      const next = new Map(Object.entries(payload as Readonly<Record<string, Json>>));
      for (const field of changed) if (field.name !== undefined) next.set(field.name, valueOf(field));
      return Object.fromEntries(next);
    },
    clear: () => {
      fill(fields);
    },
  };
}

function fieldOf(
  { title, type, enum: choices, maxLength = Infinity, minimum, maximum }: JsonSchema,
  name?: string,
): Field {
  const label = title ?? name ?? "Payload, as it should be";
  const of = { name, label, shown: "", isText: type === "string" };
  const all = type === "boolean" ? [true, false] : choices;
  if (all) {
    const options = all.map((one) =>
      element("option", { value: of.isText ? String(one) : JSON.stringify(one) }, String(one)),
    );
    return { ...of, control: element("select", { part: "field" }, ...options) };
  }
  if (type === "number" || type === "integer") {
    const step = type === "integer" ? "1" : "any";
    return { ...of, control: element("input", { part: "field", type: "number", step, min: minimum, max: maximum }) };
  }
  if (of.isText && maxLength <= 100) return { ...of, control: element("input", { part: "field" }) };
  return { ...of, control: element("textarea", { part: "field", spellcheck: String(of.isText) }) };
}

function shownOf({ name, isText }: Field, payload: unknown): string {
  const value: unknown = name === undefined ? payload : (payload as Readonly<Record<string, unknown>> | null)?.[name];
  if (value === undefined) return "";
  return isText && typeof value === "string" ? value : JSON.stringify(value, undefined, 2);
}

function valueOf({ control, isText, label }: Field): Json {
  const { value } = control;
  if (isText) return value;
  try {
    return JSON.parse(value) as Json;
  } catch (cause) {
    const kind = control.type === "number" ? "a number" : "JSON";
    throw new RuntimeError("json/invalid", { at: label }, { message: `${label}: this isn't ${kind}.`, cause });
  }
}
