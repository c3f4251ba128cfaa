/** What was changed, as lines before and after: by sign, by word and by colour, so that no one of them is needed. */
import type { Edited } from "../../core/approvals/diff.ts";
import type { Titles } from "./readable.ts";
import { element, textOf } from "./parts.ts";

export function changeList(changes: readonly Edited[], titles: Titles = {}): HTMLUListElement {
  const items = changes.map(({ path, before, after }) => {
    const [first, ...rest] = path;
    const where = [titles[first ?? ""]?.title ?? first ?? "All of it", ...rest].join(" › ");
    const [was, is] = [textOf(before), textOf(after)];
    const lines = [
      ...(before === undefined ? [] : [line("del", was, is)]),
      ...(after === undefined ? [] : [line("ins", is, was)]),
    ];
    return element("li", {}, element("b", {}, where), ...lines);
  });
  return element("ul", { class: "changes" }, ...items);
}

/** The text, with the part marked in which it isn't the other one. */
function line(name: "del" | "ins", text: string, other: string): HTMLElement {
  const [words, others] = [text, other].map((one) => one.split(/(\s+)/u)) as [string[], string[]];
  const least = Math.min(words.length, others.length);
  let [start, end] = [0, 0];
  while (start < least && words[start] === others[start]) start++;
  while (end < least - start && words.at(-1 - end) === others.at(-1 - end)) end++;
  const [head, changed, tail] = [
    words.slice(0, start),
    words.slice(start, words.length - end),
    words.slice(words.length - end),
  ];
  const [sign, spoken] = name === "del" ? ["−", "Before: "] : ["+", "Now: "];
  return element(
    "p",
    { class: name },
    element("span", { "aria-hidden": "true" }, `${sign} `),
    element("span", { class: "unseen" }, spoken),
    head.join(""),
    element(name, {}, changed.join("")),
    tail.join(""),
  );
}
