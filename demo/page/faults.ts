/** An error in words for the person at the page: what happened, and what can be done. */
import type { ErrorData } from "../../src/index.ts";
import { adviceFor } from "./advice.ts";
import { bytes, count } from "./format.ts";

export interface Fault {
  readonly what: string;
  readonly advice: string;
}

export function explain(error: ErrorData): Fault {
  return { what: sentenceFor(error), advice: adviceFor(error.code) };
}

function sentenceFor({ code, message, detail = {} }: ErrorData): string {
  const { reason, limit, max } = detail;
  if (code === "audit/archive-too-large" && typeof limit === "string") return limitWords(limit, max);
  if (code === "audit/archive-unreadable" && typeof reason === "string") return `It cannot be read: ${reason}.`;
  return message.startsWith(code) && typeof reason === "string" ? `${capital(reason)}.` : message;
}

function limitWords(limit: string, max: unknown): string {
  const most = typeof max === "number" ? max : 0;
  switch (limit) {
    case "ratio":
      return `It unpacks to more than ${count(most)} times its size, as a zip bomb does.`;
    case "files":
    case "entries":
      return `It holds more than ${count(most)} files.`;
    case "archiveBytes":
      return `The archive is larger than ${bytes(most)}.`;
    case "totalBytes":
      return `It unpacks to more than ${bytes(most)}.`;
    case "nameBytes":
      return "The names of its files alone are longer than any code base needs.";
    case "declaredSize":
      return "It unpacks to more than it says, as a zip bomb does.";
    default:
      return `It is larger than an audit takes (${limit}).`;
  }
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
