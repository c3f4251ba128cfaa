/**
 * `node scripts/make-sample.js [target]`: the code base that the demo audits with one click.
 *
 * It is a real one, and not in this repository: http-proxy 0.8.7 (MIT, 2012), which npm installs under another name as
 * a devDependency, without running any script. It has a private key among its test fixtures, TLS without verification,
 * and dependencies with advisories. The archive depends on the package's files alone: the same bytes on every machine.
 */
import { gzipSync } from "fflate";
import { packTar } from "modern-tar";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const PACKAGE = join(ROOT, "node_modules/sample-http-proxy");
const TARGET = join(ROOT, "demo/dist/sample.tgz");

/**
 * @param {{ from?: string, to?: string }} [options]
 * @returns {Promise<string | undefined>} the file that was written; nothing when the package is not installed
 */
export async function makeSample({ from = PACKAGE, to = TARGET } = {}) {
  if (!existsSync(join(from, "package.json"))) return undefined;
  const { name, version } = JSON.parse(readFileSync(join(from, "package.json"), "utf8"));
  const paths = readdirSync(from, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(from, join(entry.parentPath, entry.name)).split(sep).join("/"))
    .sort((a, b) => (a < b ? -1 : 1));
  const entries = paths.map((path) => {
    const body = new Uint8Array(readFileSync(join(from, path)));
    const plain = /** @type {const} */ ({ type: "file", mode: 0o644, uid: 0, gid: 0, mtime: new Date(0) });
    return { header: { name: `${name}-${version}/${path}`, size: body.length, ...plain }, body };
  });
  mkdirSync(dirname(to), { recursive: true });
  // fflate and not node:zlib, whose bytes change with its version
  writeFileSync(to, gzipSync(await packTar(entries), { level: 9, mtime: 0 }));
  return to;
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const written = await makeSample({ to: process.argv[2] ?? TARGET });
  if (written === undefined) console.warn("No sample: the devDependency sample-http-proxy is not installed.");
  else console.log(`Wrote ${relative(process.cwd(), written)}`);
}
