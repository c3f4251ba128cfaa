/**
 * Reads the examples of a Markdown file. A fenced block of `ts` or `html` is a program of its own, unless
 *   `<!-- norun -->` stands before it: it is left alone;
 *   `<!-- continue -->` stands before it: it goes on with the program above it;
 *   its first line is a comment with a file name, such as `// agent.ts`: it is that file, beside the programs.
 */

/**
 * @typedef {object} Example
 * @property {"ts" | "html" | "file"} kind
 * @property {string} name file name, unique
 * @property {string} text
 * @property {number} line of the block in the Markdown file
 */

const FENCE = /^(?:<!--\s*(norun|continue)\s*-->\s*\n+)?^```(ts|js|html)[^\n]*\n([\s\S]*?)^```\s*$/gmu;
const FILE_NAME = /^\/\/ ([\w./-]+\.(?:ts|js))\s*$/u;

/**
 * @param {string} markdown
 * @returns {Example[]}
 */
export function readExamples(markdown) {
  /** @type {Example[]} */
  const examples = [];
  for (const { 0: whole, 1: mark, 2: language = "", 3: text = "", index } of markdown.matchAll(FENCE)) {
    const opening = whole.slice(0, whole.indexOf("```"));
    const line = `${markdown.slice(0, index)}${opening}`.split("\n").length;
    const file = FILE_NAME.exec(text.split("\n")[0] ?? "")?.[1];
    const last = examples.findLast(({ kind }) => kind === "ts");
    if (mark === "norun") continue;
    else if (mark === "continue" && last !== undefined) last.text += text;
    else if (file !== undefined) examples.push({ kind: "file", name: file, text, line });
    else if (language === "ts") examples.push({ kind: "ts", name: `line-${line}.ts`, text, line });
    else if (language === "html") examples.push({ kind: "html", name: `line-${line}.html`, text, line });
  }
  return examples;
}
