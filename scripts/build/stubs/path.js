/** The few path functions that bundled analysers call, for POSIX paths. */
export const sep = "/";

/** @param {string} path */
export const basename = (path) => path.slice(path.lastIndexOf(sep) + 1);

/** @param {string} path */
export const dirname = (path) => path.slice(0, Math.max(path.lastIndexOf(sep), 0)) || ".";

/** @param {string} path */
export const extname = (path) => /(?!^)\.[^.]*$/u.exec(basename(path))?.[0] ?? "";

/** @param {string} path */
export const isAbsolute = (path) => path.startsWith(sep);

/** @param {string} path */
export function normalize(path) {
  /** @type {string[]} */
  const parts = [];
  for (const part of path.split(sep)) {
    if (part === ".." && parts.length > 0 && parts.at(-1) !== "..") parts.pop();
    else if (part !== "" && part !== "." && !(part === ".." && isAbsolute(path))) parts.push(part);
  }
  return (isAbsolute(path) ? sep : "") + parts.join(sep) || ".";
}

/** @param {readonly string[]} parts */
export const join = (...parts) => normalize(parts.filter((part) => part !== "").join(sep));

/** @param {readonly string[]} parts */
export const resolve = (...parts) =>
  normalize(sep + parts.reduce((path, part) => (isAbsolute(part) ? part : join(path, part)), ""));

/**
 * @param {string} from
 * @param {string} to
 */
export function relative(from, to) {
  const [a, b] = [from, to].map((path) => resolve(path).split(sep).slice(1).filter(Boolean));
  let shared = 0;
  while (shared < (a?.length ?? 0) && a?.[shared] === b?.[shared]) shared += 1;
  return [...(a ?? []).slice(shared).map(() => ".."), ...(b ?? []).slice(shared)].join(sep);
}

export default { sep, basename, dirname, extname, isAbsolute, normalize, join, resolve, relative };
