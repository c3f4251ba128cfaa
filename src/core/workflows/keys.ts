/** How graphs within graphs are addressed, and what belongs to a node beside its work. */

/** Where the text of the graph stands that a run is on, and the path to it from there, if it is the body of a node. */
export function splitVersion(version: string): readonly [text: string, path: string | undefined] {
  const at = version.lastIndexOf("@");
  const end = version.indexOf(at === -1 ? "#" : "/", at);
  return end === -1 ? [version, undefined] : [version.slice(0, end), version.slice(end + 1)];
}

/** The version of what stands in a node of the graph. */
export function versionWithin(version: string, node: string): string {
  return `${version}${version.includes("#") ? "/" : "#"}${node}`;
}

/** The timer after which a node is begun anew. */
export function delayKey(work: string): string {
  return `${work}.delay`;
}

/** The task that is asked for a graph; `id`: the run of that graph. */
export function planKey(id: string, refused = 0): string {
  return `${id}.plan${refused === 0 ? "" : String(refused + 1)}`;
}
