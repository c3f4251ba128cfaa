/** The agent that reads manifests and lockfiles: advisories, licences, and how firmly versions are held. */
import * as v from "valibot";
import { BlobRefSchema, defineAgent, type AgentContext, type BlobRef } from "../../core/plugin.ts";
import { ADVISORY_TABLE, TABLE_DATE, TABLE_SOURCE } from "./dependencies/advisory-table.ts";
import { checkLockfile, checkSync } from "./dependencies/check-lockfile.ts";
import { checkManifest, wantedBy } from "./dependencies/check-manifest.ts";
import {
  adviseLocked,
  adviseOwn,
  adviseWanted,
  checkLicences,
  checkOwnLicence,
} from "./dependencies/check-packages.ts";
import { createDocument, type Document } from "./dependencies/document.ts";
import { LicencePolicySchema, type LicencePolicy } from "./dependencies/licence-policy.ts";
import { readLockfile, type Lockfile } from "./dependencies/lockfile.ts";
import { ManifestSchema, type Manifest } from "./dependencies/manifest.ts";
import { AdvisorySchema, createAdvisoryIndex, type AdvisoryIndex } from "./dependencies/osv.ts";
import { DEPENDENCY_RULES } from "./dependencies/rules.ts";
import { FileSchema, type AuditFile } from "./files.ts";
import { ObservationSchema, weightiest, type Observation, type Severity } from "./findings.ts";
import { scanSecrets } from "./secrets/scan.ts";
import { decodeSource } from "./source-text.ts";

export const DependenciesInputSchema = v.object({
  files: v.array(FileSchema),
  policy: v.optional(LicencePolicySchema, {}),
  /** A JSON array of OSV records to use instead of the table that is built in, and what to call it. */
  advisories: v.optional(v.object({ ref: BlobRefSchema, source: v.string(), date: v.string() })),
});

export const DependenciesOutputSchema = v.object({
  findings: v.array(ObservationSchema),
  advisories: v.object({ source: v.string(), date: v.string(), count: v.number() }),
  /** Packages that lockfiles name, and dependencies that manifests without a lockfile name. */
  packages: v.number(),
});

/** Some code bases have a package.json in each of thousands of fixtures. */
const MAX_DOCUMENTS = 500;
const MAX_FINDINGS = 1_000;

export const dependenciesAgent = defineAgent({
  name: "audit-dependencies",
  version: "1.0.0",
  capabilities: ["audit.dependencies"],
  description: "Reads package.json and npm lockfiles: advisories, licences, unpinned and unusual sources.",
  input: DependenciesInputSchema,
  output: DependenciesOutputSchema,
  async run({ files, policy, advisories }, context) {
    const read = async (ref: BlobRef): Promise<string> => decodeSource(await context.blobs.read(ref));
    const given = advisories && v.parse(v.array(AdvisorySchema), JSON.parse(await read(advisories.ref)));
    const known = given ?? ADVISORY_TABLE;
    const project = await readProject(files, read, context);
    const findings = checkProject(project, { policy, index: createAdvisoryIndex(known) });
    return {
      findings: await redacted(capped(findings)),
      advisories: {
        source: advisories?.source ?? TABLE_SOURCE,
        date: advisories?.date ?? TABLE_DATE,
        count: known.length,
      },
      packages: project.lockfiles.reduce((sum, { lockfile }) => sum + (lockfile?.packages.length ?? 0), 0),
    };
  },
});

interface Project {
  readonly manifests: readonly {
    readonly folder: string;
    readonly document: Document;
    readonly manifest: Manifest | undefined;
  }[];
  readonly lockfiles: readonly {
    readonly folder: string;
    readonly document: Document;
    readonly lockfile: Lockfile | undefined;
  }[];
  /** How many manifests and lockfiles were left unread. */
  readonly unread: number;
  /** Lockfiles of other package managers. */
  readonly foreign: readonly string[];
  /** Manifests in node_modules, by the place that a lockfile calls them. */
  readonly installed: ReadonlyMap<string, Manifest>;
}

const LOCKFILES: ReadonlySet<string> = new Set(["npm-shrinkwrap.json", "package-lock.json"]);
const FOREIGN_LOCKFILES: ReadonlySet<string> = new Set(["yarn.lock", "pnpm-lock.yaml", "bun.lock", "bun.lockb"]);

const nameOf = (path: string): string => path.slice(path.lastIndexOf("/") + 1);
const folderOf = (path: string): string => path.slice(0, Math.max(path.lastIndexOf("/"), 0));
const isInstalled = (path: string): boolean => /(?:^|\/)node_modules\//u.test(path);

async function readProject(
  files: readonly AuditFile[],
  read: (ref: BlobRef) => Promise<string>,
  { signal, progress }: Pick<AgentContext, "signal" | "progress">,
): Promise<Project> {
  const wanted = files
    .filter(({ path }) => nameOf(path) === "package.json" || (LOCKFILES.has(nameOf(path)) && !isInstalled(path)))
    .sort((a, b) => a.path.split("/").length - b.path.split("/").length); // the project's own before its fixtures'
  const manifests: Project["manifests"][number][] = [];
  const lockfiles: Project["lockfiles"][number][] = [];
  const installed = new Map<string, Manifest>();
  let unread = 0;
  for (const [at, { path, ref }] of wanted.entries()) {
    signal.throwIfAborted();
    progress(at / wanted.length, path);
    if (!isInstalled(path) && manifests.length + lockfiles.length >= MAX_DOCUMENTS) {
      unread += 1;
      continue;
    }
    const document = createDocument(path, await read(ref));
    const folder = folderOf(path);
    if (LOCKFILES.has(nameOf(path))) {
      lockfiles.push({ folder, document, lockfile: readLockfile(document.json) });
      continue;
    }
    const parsed = v.safeParse(ManifestSchema, document.json);
    const manifest = parsed.success ? parsed.output : undefined;
    if (!isInstalled(path)) manifests.push({ folder, document, manifest });
    else if (manifest) installed.set(folder, manifest);
  }
  const foreign = files
    .map(({ path }) => path)
    .filter((path) => FOREIGN_LOCKFILES.has(nameOf(path)) && !isInstalled(path));
  return { manifests, lockfiles, unread, foreign, installed };
}

interface Rules {
  readonly policy: LicencePolicy;
  readonly index: AdvisoryIndex;
}

function checkProject(project: Project, rules: Rules): readonly Observation[] {
  return [
    ...(project.unread > 0 ? [unreadDocuments(project.unread)] : []),
    ...project.foreign.map((path) => foreignLockfile(path)),
    ...project.lockfiles.flatMap(({ document, lockfile }) =>
      lockfile === undefined
        ? [document.observe("unreadable-lockfile", "", "It is not JSON of a known version.")]
        : [
            ...checkLockfile(document, lockfile),
            ...adviseLocked(document, lockfile, rules.index),
            ...checkLicences(document, lockfile, { policy: rules.policy, installed: project.installed }),
          ],
    ),
    ...project.manifests.flatMap(({ document, manifest, folder }) =>
      manifest === undefined
        ? [document.observe("unreadable-manifest", "", "It is not a JSON object.")]
        : checkOne(document, manifest, folder, project, rules),
    ),
  ];
}

function checkOne(
  document: Document,
  manifest: Manifest,
  folder: string,
  project: Project,
  { index }: Rules,
): readonly Observation[] {
  const lock = lockfileFor(folder, project);
  const held = lock
    ? checkSync(document, manifest, lock)
    : [...withoutLockfile(document, manifest, folder, project), ...adviseWanted(document, manifest, index)];
  return [
    ...checkManifest(document, manifest),
    ...checkOwnLicence(document, manifest),
    ...adviseOwn(document, manifest, index),
    ...held,
  ];
}

/** The lockfile beside a manifest, or one further up that knows the manifest as a workspace. */
function lockfileFor(
  folder: string,
  { lockfiles }: Project,
): { readonly lockfile: Lockfile; readonly folder: string } | undefined {
  for (const one of [...lockfiles].sort((a, b) => b.folder.length - a.folder.length)) {
    if (one.lockfile === undefined) continue;
    if (one.folder === folder) return { lockfile: one.lockfile, folder: "" };
    const inside = one.folder === "" ? folder : folder.slice(one.folder.length + 1);
    const isAbove = one.folder === "" || folder.startsWith(`${one.folder}/`);
    if (isAbove && one.lockfile.manifests.has(inside)) return { lockfile: one.lockfile, folder: inside };
  }
  return undefined;
}

function withoutLockfile(
  document: Document,
  manifest: Manifest,
  folder: string,
  { foreign }: Project,
): readonly Observation[] {
  const wanted = wantedBy(manifest).filter(({ field }) => field !== "peerDependencies");
  if (wanted.length === 0 || foreign.some((path) => folderOf(path) === folder)) return [];
  return [
    document.observe("no-lockfile", "", `Nothing holds its ${String(wanted.length)} dependencies.`, {
      key: "no-lockfile",
    }),
  ];
}

const unreadDocuments = (count: number): Observation => ({
  rule: "dependencies/unread-documents",
  message: `${String(count)} were not read, the ones that lie deepest.`,
});

const foreignLockfile = (path: string): Observation => ({
  rule: "dependencies/unsupported-lockfile",
  message: `${nameOf(path)} is not read: advisories and licences of what it installs are unknown.`,
  path,
});

const severityOf = ({ severity, rule }: Observation): Severity =>
  severity ?? Object.entries(DEPENDENCY_RULES).find(([name]) => rule === `dependencies/${name}`)?.[1].severity ?? "low";

function capped(findings: readonly Observation[]): readonly Observation[] {
  const left = findings.length - MAX_FINDINGS;
  if (left <= 0) return findings;
  return [
    ...weightiest(findings, MAX_FINDINGS, severityOf),
    { rule: "dependencies/more-findings", message: `${String(left)} more are not listed.` },
  ];
}

/** Names and versions are the author's to choose: a token in one of them must not come out. */
async function redacted(findings: readonly Observation[]): Promise<Observation[]> {
  const { redact } = await scanSecrets("findings.txt", findings.map(({ message }) => message).join("\n"));
  return findings.map((one) => ({
    ...one,
    message: redact(one.message),
    ...(one.title !== undefined && { title: redact(one.title) }),
    ...(one.help !== undefined && { help: redact(one.help) }),
    ...(one.key !== undefined && { key: redact(one.key) }),
  }));
}
