/** Searches everything for values that mustn't be there: byte by byte, in every form that a text takes on its way. */
import assert from "node:assert/strict";

/** Base 64 of the value wherever it stands among other bytes: its inner digits, for each of the three alignments. */
function base64Forms(value: Buffer): string[] {
  return [0, 1, 2].flatMap((before) => {
    const text = Buffer.concat([Buffer.alloc(before), value]).toString("base64");
    const from = Math.ceil((before * 8) / 6);
    const inner = text.slice(from, Math.floor(((before + value.length) * 8) / 6));
    return [inner, inner.replaceAll("+", "-").replaceAll("/", "_")];
  });
}

/** The forms, by name. */
export function formsOf(value: string): Map<string, Buffer> {
  const utf8 = Buffer.from(value);
  const utf16 = Buffer.from(value, "utf16le");
  const forms = new Map<string, Buffer>([
    ["UTF-16", utf16],
    ["UTF-16, big end first", Buffer.from(utf16).swap16()],
    ["Latin 1", Buffer.from(value, "latin1")],
    ["hex", Buffer.from(utf8.toString("hex"))],
    ["HEX", Buffer.from(utf8.toString("hex").toUpperCase())],
    ["a list of bytes", Buffer.from(utf8.join(","))],
    ["percent", Buffer.from(encodeURIComponent(value))],
    ["reversed", Buffer.from(Array.from(value).reverse().join(""))],
  ]);
  base64Forms(utf8).forEach((form, at) => forms.set(`base 64, ${at}`, Buffer.from(form)));
  base64Forms(utf16).forEach((form, at) => forms.set(`base 64 of UTF-16, ${at}`, Buffer.from(form)));
  let escaped = value;
  for (let depth = 0; depth < 6; depth++) {
    forms.set(`UTF-8, ${depth} times in JSON`, Buffer.from(escaped));
    forms.set(`UTF-16, ${depth} times in JSON`, Buffer.from(escaped, "utf16le"));
    const ascii = escaped.replace(/[^ -~]/gu, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`);
    forms.set(`ASCII, ${depth} times in JSON`, Buffer.from(ascii));
    escaped = JSON.stringify(escaped).slice(1, -1);
  }
  return forms;
}

/** Every text and all bytes in it, with their places: in lists, maps, sets, errors and objects of any depth. */
export function* bytesIn(value: unknown, at: string, seen = new Set<unknown>()): Generator<[string, Buffer]> {
  if (typeof value === "string") yield [at, Buffer.from(value)];
  if (typeof value === "number" || typeof value === "bigint") yield [at, Buffer.from(String(value))];
  if (typeof value !== "object" || value === null || seen.has(value)) return;
  seen.add(value);
  if (value instanceof ArrayBuffer) yield [at, Buffer.from(value)];
  else if (ArrayBuffer.isView(value)) yield [at, Buffer.from(value.buffer, value.byteOffset, value.byteLength)];
  else if (value instanceof Map || value instanceof Set)
    for (const part of value) yield* bytesIn(part, `${at}[]`, seen);
  else
    for (const key of Reflect.ownKeys(value)) {
      yield [`${at}, a key`, Buffer.from(String(key))];
      yield* bytesIn((value as Record<PropertyKey, unknown>)[key], `${at}.${String(key)}`, seen);
    }
}

/** Where the values stand in the things. */
export function findCanaries(values: readonly string[], things: Readonly<Record<string, unknown>>): string[] {
  const forms = values.flatMap((value) => [...formsOf(value)]);
  const found: string[] = [];
  for (const [name, thing] of Object.entries(things))
    for (const [at, bytes] of bytesIn(thing, name))
      for (const [form, needle] of forms) if (bytes.includes(needle)) found.push(`${form} at ${at}`);
  return found;
}

export function assertNoCanaries(values: readonly string[], things: Readonly<Record<string, unknown>>): void {
  assert.deepEqual(findCanaries(values, things), []);
}

/** What is written on the console until it is called. */
export function listenToConsole(): () => unknown[][] {
  const said: unknown[][] = [];
  const levels = ["debug", "log", "info", "warn", "error", "trace"] as const;
  const before = levels.map((level) => console[level]);
  for (const level of levels) console[level] = (...args: unknown[]) => said.push(args);
  return () => {
    levels.forEach((level, at) => Object.assign(console, { [level]: before[at] }));
    return said;
  };
}
