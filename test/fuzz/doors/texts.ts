/** Values and texts that a program hands over: JSON, errors, versions, patterns of time, schemas, manifests. */
import { calendar, nextFireTimes } from "../../../src/calendar/cron.ts";
import { checkSchema, findFlaw, type JsonSchema } from "../../../src/core/capabilities/schema.ts";
import { encodeError, plainError, RuntimeError } from "../../../src/core/errors.ts";
import { checkJson, copyJson, decodeJson, digestOf, encodeJson } from "../../../src/core/json.ts";
import { checkPayload } from "../../../src/core/payload/check.ts";
import { isSpilled, refsOf } from "../../../src/core/payload/reference.ts";
import { defineAgent } from "../../../src/core/plugin.ts";
import { checkType } from "../../../src/core/mail/types.ts";
import { compareVersions, inRange, parseRange, parseVersion } from "../../../src/core/versions.ts";
import { diffJson } from "../../../src/core/approvals/diff.ts";
import { draftOf } from "../../../src/core/mail/exchange.ts";
import type { Json } from "../../../src/core/json.ts";
import { Finding, type Door } from "../door.ts";
import { checkRefusal } from "../scene.ts";
import { bend, bendText } from "../schema.ts";
import type { Tape } from "../tape.ts";
import { drawForeign, drawJson, drawJsonText, drawNumber, drawPosted, drawText, textOf, withKey } from "../values.ts";

type Kind = readonly [name: string, draw: (tape: Tape) => unknown, give: (input: never, tape: Tape) => void];

const kind = <T>(name: string, draw: (tape: Tape) => T, give: (input: T, tape: Tape) => void): Kind => [
  name,
  draw,
  give,
];

const mustHold = (holds: boolean, what: string): void => {
  if (!holds) throw new Finding(what, what);
};

/** Something of a program's own: what it would take JSON itself without an end to write isn't handed over. */
const drawOwn = (tape: Tape): unknown => drawProgram(tape, true);

/** Something of a program's, with more of the same within it. */
function drawProgram(tape: Tape, tame = false): unknown {
  if (tape.once(2)) return drawForeign(tape, tame);
  const holder = drawJson(tape);
  if (typeof holder === "object" && holder !== null)
    withKey(holder, tape.pick(["a", "toJSON", "__proto__"]), drawForeign(tape, tame));
  return holder;
}

/** The core's moments are whole and finite. */
const drawFinite = (tape: Tape): number => {
  const number = drawNumber(tape);
  return Number.isFinite(number) ? number : 1;
};
/** Of the calendar. */
const END = 253_402_300_799_999;

const VERSIONS = ["1.2.3", "0.0.1", "1.2.3-rc.1", "10.0.0+build", "1.2", "999999999999999.0.0", "1.2.3-0.a.-"] as const;
const RANGES = [
  "^1.2.3",
  "~1",
  "*",
  ">=1 <2 || 3.x",
  "1.2.x",
  "",
  ">1.2.3-rc.1",
  "= 1",
  "^0.0.0",
  "<*",
  "1 2 3",
  "x.1",
] as const;
const CRONS = [
  "* * * * *",
  "*/5 1-3 ? * MON",
  "0 0 29 2 *",
  "0 0 31 4 *",
  "@yearly",
  "0 0 0 1 1 * 2099",
  "59 23 L * *",
  "0 0 * * 5#3",
  "1,2,3/4 * * * *",
  "* * 31 2 *",
  "0 0 1W * *",
] as const;
const DATES = [
  "2030-01-31T09:00:00Z",
  "2030-02-30T09:00",
  "2024-03-31T02:30",
  "1969-01-01T00:00Z",
  "9999-12-31T23:59:59.999Z",
  "2030-01-01T24:00Z",
  "2030-01-01T00:00+14:00",
] as const;
const ZONES = [
  "UTC",
  "Europe/Berlin",
  "Pacific/Apia",
  "America/Havana",
  "Africa/Monrovia",
  "+05:30",
  "no/where",
  "__proto__",
  "",
] as const;

const bent = (tape: Tape, some: readonly string[]): string => {
  const text = tape.pick(some);
  if (tape.once(12)) return drawText(tape).slice(0, 300);
  return tape.once(2) ? bendText(tape, text) : text;
};

function drawSchema(tape: Tape, depth = 3): unknown {
  const inner = (): unknown => (depth > 0 ? drawSchema(tape, depth - 1) : { type: "string" });
  switch (tape.below(8)) {
    case 0:
      return { type: tape.pick(["null", "boolean", "integer", "number", "string", "array", "object"]) };
    case 1:
      return { type: ["string", "null"], minLength: drawNumber(tape), maxLength: drawNumber(tape) };
    case 2:
      return { minimum: drawNumber(tape), maximum: drawNumber(tape) };
    case 3:
      return { type: "array", items: inner(), minItems: tape.below(4), maxItems: tape.below(9) };
    case 4: {
      const properties = {};
      for (let left = tape.below(4); left > 0; left--)
        withKey(properties, tape.pick(["a", "b", "__proto__", "id"]), inner());
      return {
        type: "object",
        properties,
        required: ["a"],
        additionalProperties: tape.pick([true, false, { type: "null" }]),
      };
    }
    case 5:
      return { anyOf: [inner(), inner()] };
    case 6:
      return { enum: [1, "a", null, true], const: tape.pick([1, "a", null]) };
    default:
      return bend(tape, { type: "object", properties: { a: inner() } });
  }
}

/** Schemas are read from texts. */
const asJson = (value: unknown): unknown => decodeJson(textOf(value).replace(/^undefined$/u, "null"));

const KINDS: readonly Kind[] = [
  kind("json of a value", drawOwn, (value) => {
    const text = encodeJson(value);
    mustHold(!isSpilled(text), "a value looks like a reference");
    JSON.parse(text);
    decodeJson(text);
  }),
  kind("json text", drawJsonText, (text) => {
    checkJson(text);
    mustHold(/^[0-9a-f]{32}$/u.test(digestOf(text)), "no digest");
    const value = decodeJson(text);
    mustHold(JSON.stringify(copyJson(value)) === JSON.stringify(value), "a copy that differs");
    mustHold(encodeJson(value) === JSON.stringify(value), "read and written is another");
  }),
  kind("payload", drawJsonText, (text) => {
    const checked = checkPayload(text, "t1", "input");
    if (isSpilled(checked))
      mustHold(
        refsOf(checked).every(({ blob }) => blob.startsWith("t1:")),
        "a foreign blob",
      );
  }),
  kind(
    "error of a worker",
    (tape) => ({
      name: "Error",
      message: "m",
      code: "c",
      [tape.pick(["detail", "cause", "message", "more"])]: drawPosted(tape),
    }),
    (value) => {
      const text = JSON.stringify(plainError(value));
      const { code, message } = JSON.parse(text) as Record<string, unknown>;
      mustHold(text.length < 200_000, "an error without bounds");
      mustHold(typeof code === "string" && typeof message === "string", "no error");
      mustHold(!text.includes('"__proto__":'), "an error that pollutes");
    },
  ),
  kind("error", drawOwn, (value) => {
    const text = JSON.stringify(encodeError(value));
    mustHold(text.length < 200_000, "an error without bounds");
    mustHold(new RuntimeError("unknown", { value }).message.length < 10_000, "a long message");
  }),
  kind(
    "version",
    (tape) => [bent(tape, VERSIONS), bent(tape, VERSIONS), bent(tape, RANGES)] as const,
    ([a, b, range]) => {
      const [one, other] = [parseVersion(a), parseVersion(b)];
      const parsed = parseRange(range);
      if (!one || !other) throw new RuntimeError("command/invalid", { a, b });
      mustHold(
        Math.sign(compareVersions(one, other)) === -Math.sign(compareVersions(other, one)),
        "an order of two minds",
      );
      if (!parsed) throw new RuntimeError("command/invalid", { range });
      inRange(one, parsed);
    },
  ),
  kind(
    "schema",
    (tape) => [asJson(drawSchema(tape)), drawJson(tape)] as const,
    ([schema, value]) => {
      checkSchema(schema, "schema");
      const flaw = findFlaw(schema as JsonSchema, value, "value");
      if (flaw)
        mustHold(flaw.at.startsWith("value") && flaw.expected !== "" && flaw.found !== "", "a flaw without a place");
    },
  ),
  kind(
    "message type",
    (tape) => [drawText(tape), tape.once(2) ? JSON.stringify(drawJson(tape)) : drawJsonText(tape)] as const,
    ([name, schema]) => {
      checkType(name, schema);
    },
  ),
  kind(
    "diff",
    (tape) => [drawJson(tape), drawJson(tape)] as const,
    ([a, b]) => {
      const same = JSON.stringify(a) === JSON.stringify(b);
      if (same) mustHold(diffJson(a as Json, b as Json).length === 0, "a difference of equals");
    },
  ),
  kind(
    "agent",
    (tape) => {
      const some = { name: "a", version: "1.0.0", capabilities: ["c"], input: {}, output: {}, run: () => 1 };
      const field = tape.pick(["name", "version", "capabilities", "input", "output", "run", "extra"]);
      const value = tape.pick([1, [], [1], ["c", null], {}, null, undefined, drawText(tape)]);
      // Capabilities that are one text throw a TypeError in the author's own worker; to say it better has no room there.
      if (field !== "capabilities" || typeof value !== "string") withKey(some, field, value);
      return some;
    },
    (some) => {
      defineAgent(some as unknown as Parameters<typeof defineAgent>[0]);
    },
  ),
  kind(
    "message",
    (tape) => ({ type: "control", recipient: "box", payload: drawOwn(tape) }),
    (message) => {
      draftOf(message, () => "id");
    },
  ),
];

const TIMES: readonly Kind[] = [
  kind(
    "cron",
    (tape) =>
      [
        bent(tape, CRONS),
        bent(tape, ZONES),
        tape.pick([0, 1.7e12, 4e12, 253_402_300_799_000, 8.64e15, -1, drawFinite(tape)]),
      ] as const,
    ([cron, zone, at]) => {
      const next = calendar.next(cron, zone, at);
      mustHold(next === undefined || (Number.isFinite(next) && next > Math.min(at, END)), "a moment that has passed");
      const last = calendar.last(cron, zone, at);
      mustHold(last === undefined || at < 0 || (Number.isFinite(last) && last <= at), "a moment to come");
    },
  ),
  kind(
    "fire times",
    (tape) => [bent(tape, CRONS), tape.pick([1, 10, 0, 1_000, drawNumber(tape)])] as const,
    ([cron, count]) => {
      nextFireTimes(cron, { count, from: 1.7e12 });
    },
  ),
  kind(
    "date",
    (tape) => [bent(tape, DATES), tape.once(2) ? bent(tape, ZONES) : undefined] as const,
    ([text, zone]) => {
      const at = calendar.moment(text, zone);
      mustHold(Number.isSafeInteger(at) && at >= 0, "no moment");
    },
  ),
];

function doorOf(name: string, kinds: readonly Kind[]): Door {
  return {
    name,
    length: 200,
    open(tape, look) {
      return {
        turn() {
          const [name, draw, give] = tape.pick(kinds);
          const input = draw(tape);
          look.input({ [name]: input });
          look.outcome(
            outcomeOf(name, () => {
              give(input as never, tape);
            }),
          );
        },
      };
    },
  };
}

export const texts = doorOf("texts", KINDS);
/** Patterns and moments, which the platform reads. */
export const times = doorOf("times", TIMES);

function outcomeOf(name: string, give: () => void): string {
  try {
    give();
    return "taken";
  } catch (thrown) {
    if (!(thrown instanceof RuntimeError)) throw thrown;
    checkRefusal(thrown);
    return thrown.code.includes("/") ? thrown.code : `${name}/${thrown.code}`;
  }
}
