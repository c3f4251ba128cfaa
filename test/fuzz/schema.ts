/** Draws what a valibot schema accepts, and bends it. */
import * as v from "valibot";
import type { Tape } from "./tape.ts";
import { drawJson, drawNumber, drawPosted, drawText, NUMBERS, TEXTS, withKey } from "./values.ts";

/** Good values for fields, by the field's name: so that what is drawn is about things that are there. */
export type Hints = Readonly<Record<string, (tape: Tape) => unknown>>;

/** As much of a schema as is walked here. */
interface Node {
  readonly type: string;
  readonly pipe?: readonly Step[];
  readonly wrapped?: Node;
  readonly item?: Node;
  readonly key?: Node;
  readonly value?: Node;
  readonly entries?: Readonly<Record<string, Node>>;
  readonly options?: readonly unknown[];
  readonly literal?: unknown;
  readonly getter?: (input: unknown) => Node;
}
interface Step {
  readonly kind: string;
  readonly type: string;
  readonly requirement?: unknown;
}
type Schema = v.GenericSchema | v.GenericSchemaAsync;

const MAX_DEPTH = 9;

export function drawFrom(tape: Tape, schema: Schema, hints: Hints): unknown {
  return draw({ tape, hints }, schema, "", 0);
}

interface Drawing {
  readonly tape: Tape;
  readonly hints: Hints;
}

function draw(drawing: Drawing, node: Node, field: string, depth: number): unknown {
  const { tape, hints } = drawing;
  const hint = Object.hasOwn(hints, field) ? hints[field] : undefined;
  if (hint && node.type !== "optional" && !tape.once(8)) {
    const value = hint(tape);
    if (value !== undefined && accepts(node, value)) return value;
  }
  const inner = (next: Node | undefined, name = field): unknown => next && draw(drawing, next, name, depth + 1);
  switch (node.type) {
    case "optional":
      return tape.below(depth > MAX_DEPTH ? 1 : 3) === 0 ? undefined : inner(node.wrapped);
    case "lazy":
      return inner(node.getter?.(undefined));
    case "literal":
      return node.literal;
    case "picklist":
      return tape.pick(node.options ?? []);
    case "union":
      return inner(tape.pick((node.options ?? []) as readonly Node[]));
    case "variant":
      return inner(drawOption(tape, node));
    case "strict_object":
    case "loose_object":
    case "object":
      return drawObject(drawing, node, depth);
    case "record":
      return drawRecord(drawing, node, depth);
    case "array":
      return drawList(drawing, node, field, depth);
    case "string":
      return drawString(tape, node);
    case "number":
      return drawWithin(tape, node);
    case "boolean":
      return tape.once(2);
    case "custom":
      return accepts(node, new Uint8Array()) && tape.once(2) ? new Uint8Array(tape.below(9)) : drawJson(tape);
    default:
      return drawPosted(tape); // unknown, any
  }
}

/** Options of variants may be variants again. */
function drawOption(tape: Tape, { options = [] }: Node): Node {
  return tape.pick(options as readonly Node[]);
}

function drawObject(drawing: Drawing, { entries = {} }: Node, depth: number): object {
  const holder = {};
  for (const [name, entry] of Object.entries(entries)) {
    const value = draw(drawing, entry, name, depth + 1);
    if (value !== undefined) withKey(holder, name, value);
  }
  return holder;
}

function drawRecord(drawing: Drawing, { key, value }: Node, depth: number): object {
  const holder = {};
  for (let left = drawing.tape.below(3); left > 0; left--) {
    const name = key && draw(drawing, key, "name", depth + 1);
    if (typeof name === "string" && value) withKey(holder, name, draw(drawing, value, name, depth + 1));
  }
  return holder;
}

function drawList(drawing: Drawing, { item, pipe = [] }: Node, field: string, depth: number): unknown[] {
  const least = pipe.find(({ type }) => type === "min_length")?.requirement;
  const count = (typeof least === "number" ? least : 0) + drawing.tape.below(depth > MAX_DEPTH ? 1 : 4);
  const name = field.replace(/s$/u, "");
  return Array.from({ length: count }, () => item && draw(drawing, item, name, depth + 1));
}

const MORE_TEXTS = [
  "a",
  "work",
  "a1",
  "^1.2.3",
  ">=1 <2 || 3.x",
  "1.2.3",
  "1.2.3-rc.1",
  "https://example.org:8080",
  "true",
  "input",
  "n0",
];

/** By schema: which of the texts it accepts. */
const fitting = new WeakMap<Node, readonly string[]>();

function drawString(tape: Tape, node: Node): string {
  if (!fitting.has(node))
    fitting.set(
      node,
      [...MORE_TEXTS, ...TEXTS].filter((text) => accepts(node, text)),
    );
  const fit = fitting.get(node) ?? [];
  return fit.length === 0 || tape.once(12) ? drawText(tape) : tape.pick(fit);
}

function drawWithin(tape: Tape, { pipe = [] }: Node): number {
  const bound = (type: string, other: number): number =>
    Number(pipe.find((step) => step.type === type)?.requirement ?? other);
  const [least, most] = [bound("min_value", 0), bound("max_value", 2 ** 53 - 1)];
  switch (tape.below(8)) {
    case 0:
    case 1:
    case 2:
      return Math.min(most, least + tape.below(5));
    case 3:
      return Math.min(most, least + tape.below(100_000));
    case 4:
      return least;
    case 5:
      return most;
    case 6:
      return Math.floor(least + (most - least) / (1 + tape.below(7)));
    default:
      return tape.once(2) ? least - 1 : tape.pick(NUMBERS);
  }
}

function accepts(node: Node, value: unknown): boolean {
  return v.safeParse(node as unknown as v.GenericSchema, value).success;
}

/** Where something stands. */
interface Place {
  readonly holder: object;
  readonly key: string;
}

const MAX_PLACES = 400;

function placesOf(value: unknown): Place[] {
  const places: Place[] = [];
  const pending: unknown[] = [value];
  for (let next = pending.pop(); pending.length > 0 || next !== undefined; next = pending.pop()) {
    if (typeof next !== "object" || next === null || ArrayBuffer.isView(next)) continue;
    for (const key of Object.keys(next)) {
      if (places.push({ holder: next, key }) > MAX_PLACES) return places;
      pending.push((next as Record<string, unknown>)[key]);
    }
  }
  return places;
}

/** Changes parts of a value in place; gives the value, or another if its whole was changed. */
export function bend(tape: Tape, value: unknown): unknown {
  for (let left = 1 + tape.below(3); left > 0; left--) {
    const places = placesOf(value);
    if (places.length === 0 || tape.once(30)) return drawPosted(tape);
    bendAt(tape, tape.pick(places));
  }
  return value;
}

function bendAt(tape: Tape, { holder, key }: Place): void {
  const now = (holder as Record<string, unknown>)[key];
  switch (tape.below(9)) {
    case 0:
      Reflect.deleteProperty(holder, key);
      return;
    case 1:
      withKey(holder, tape.pick(["__proto__", "constructor", "extra", "toJSON", "then", "id"]), drawPosted(tape));
      return;
    case 2:
      withKey(holder, key, tape.once(2) ? [now] : { [key]: now });
      return;
    case 3:
      withKey(holder, key, typeof now === "number" ? drawNumber(tape) : drawPosted(tape));
      return;
    case 4:
      withKey(holder, key, typeof now === "string" ? bendText(tape, now) : drawText(tape));
      return;
    case 5:
      if (Array.isArray(now) && now.length > 0)
        now.push(...Array.from({ length: tape.pick([1, 20, 1_200]) }, () => now[0] as unknown));
      else withKey(holder, key, drawNumber(tape));
      return;
    case 6:
      withKey(holder, key, drawText(tape));
      return;
    case 7:
      withKey(
        holder,
        key,
        tape.pick([
          typeof now === "number" ? String(now) : Number(typeof now === "string" && now),
          !!now,
          null,
          undefined,
        ]),
      );
      return;
    default:
      withKey(holder, key, drawPosted(tape));
  }
}

/** Cuts, doubles, or puts something in. */
export function bendText(tape: Tape, text: string): string {
  const at = tape.below(text.length + 1);
  const to = Math.min(text.length, at + tape.below(8));
  switch (tape.below(4)) {
    case 0:
      return text.slice(0, at) + text.slice(to);
    case 1:
      return text.slice(0, to) + text.slice(at);
    case 2:
      return text.slice(0, at) + tape.pick(TEXTS) + text.slice(at);
    default:
      return text.slice(0, at) + String.fromCharCode(tape.below(256)) + text.slice(at + 1);
  }
}
