/** The table of what the system's document claims: each figure in Node and in every browser, beside the claim. */
import { CLAIMS } from "./document/claims.ts";
import { shown, whenOf } from "./figures.ts";
import type { Results, Row } from "./row.ts";

const PART = /, (?<part>p50|p99)$/u;

export function claimsOf(places: readonly Results[]): string {
  const heads = places.map(({ machine }) => headOf(machine.browser));
  const figures = [...new Set(places.flatMap(({ rows }) => rows.map(({ figure }) => figure.replace(PART, ""))))];
  const lines = figures.map((figure) => {
    const cells = places.map(({ rows }) => cellOf(rows.filter((row) => row.figure.replace(PART, "") === figure)));
    const row = places.flatMap(({ rows }) => rows).find((one) => one.figure.replace(PART, "") === figure);
    return `| ${[figure, row ? claimed(row) : "", ...cells].join(" | ")} |`;
  });
  const head = `| figure | the document's claim | ${heads.join(" | ")} |`;
  const claims = Object.values(CLAIMS).map(
    ({ says, scale, over }) => `${says} (${scale.toLocaleString("en")} ${over})`,
  );
  return [
    ...places.flatMap((results) => [whenOf(results), ""]),
    `Times are p50 / p99 in milliseconds; in bold how many times better than the claim they are. 1× is: ${claims.join(", ")}.`,
    "",
    head,
    `|${"---|".repeat(2 + places.length)}`,
    ...lines,
  ].join("\n");
}

/** As `Chrome 156` or `Node 22`. */
function headOf(browser: string): string {
  return browser
    .replace(/^Headless/u, "")
    .replace(/^AppleWebKit.*/u, "WebKitGTK")
    .replace(/[/ ]v?(\d+)[\d.]*$/u, " $1");
}

function claimed({ claimed: isClaimed, bound, unit }: Row): string {
  return isClaimed && bound !== null ? `${shown(bound)} ${unit}` : "–";
}

/** Of one figure in one place: a rate, or p50 and p99. */
function cellOf(rows: readonly Row[]): string {
  if (rows.length === 0) return "–";
  const times = rows.flatMap(({ bound, ours, better }) =>
    bound === null ? [] : [`${shown(better === "less" ? bound / ours : ours / bound)}×`],
  );
  const bold = times.length === 0 ? "" : `, **${times.join(" / ")}**`;
  return `${rows.map((row) => shown(row.ours)).join(" / ")}${bold}`;
}
