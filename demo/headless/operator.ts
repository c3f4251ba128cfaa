/**
 * Does in this page what a person would, for a command line: gives the code base, answers the review, takes the
 * reports. It uses the same functions as the buttons, and nothing of the engine that they don't.
 */
import type { ExecutionView, Runtime } from "../../src/index.ts";
import { answerOf, findingsOf, reportOf, startAudit, type Finding } from "../audit.ts";
import { errorData } from "../page/errors.ts";
import { explain } from "../page/faults.ts";
import { decide, newReview } from "../review/review.ts";
import type { Graph } from "../run/graph.ts";
import { isSignOff } from "../sign-off/workflow.ts";
import { runOf, type Run } from "../run/run.ts";
import type { Job, Session, StepNews } from "./session.ts";

const EVERY = 200;

/** Carries out the session's job; whatever happens, the command hears of it. */
export async function operate(runtime: Runtime, session: Session, graph: Graph): Promise<void> {
  try {
    const job = await session.job();
    await takeUp(runtime, session, job);
    const stop = reportProgress(runtime, session, job.id, graph);
    const answering = answerReviews(runtime, job);
    try {
      await runtime.result(job.id);
    } finally {
      stop();
      answering();
    }
    await deliver(runtime, session, job, graph);
  } catch (error) {
    const data = errorData(error);
    await session.tell({ kind: "failed", code: data.code, message: explain(data).what });
  }
}

/** Starts the run, or goes on with the one that a command before has started. */
async function takeUp(runtime: Runtime, session: Session, { id, name }: Job): Promise<void> {
  const live = runtime.executions.get(id);
  const known = live ?? (await runtime.archive.execution(id));
  for (const other of runtime.executions.values()) {
    if (other.id === id || isSignOff(other)) continue;
    runtime.cancelWorkflow(other.id, "the command has another code base now");
  }
  if (!known) {
    await session.tell({ kind: "begun", run: id });
    await startAudit(runtime, { name, bytes: await session.input() }, id);
    return;
  }
  const { done, total } = runOf(known, runtime);
  await session.tell({ kind: "begun", run: id, resumed: { done, total } });
}

/** Tells the steps as they change, and not more often than a terminal can show. */
function reportProgress(runtime: Runtime, session: Session, id: string, graph: Graph): () => void {
  let last = "";
  let telling = false;
  const timer = setInterval(() => {
    const execution = runtime.executions.get(id);
    if (!execution || telling) return;
    const steps = stepsOf(runOf(execution, runtime), graph);
    const text = JSON.stringify(steps);
    if (text === last) return;
    last = text;
    telling = true;
    session.tell({ kind: "progress", steps }).then(
      () => (telling = false),
      () => {
        clearInterval(timer); // the command is gone; its browser goes with it
      },
    );
  }, EVERY);
  return () => {
    clearInterval(timer);
  };
}

function stepsOf({ nodes }: Run, graph: Graph): StepNews[] {
  return graph.nodes
    .filter(({ kind }) => kind === "task" || kind === "map" || kind === "approval")
    .map(({ id, title }): StepNews => {
      const { status = "pending", done, total, startedAt, finishedAt } = nodes.get(id) ?? {};
      const ms = startedAt === undefined || finishedAt === undefined ? undefined : finishedAt - startedAt;
      return { id, title, status, done, total, ms };
    });
}

function answerReviews(runtime: Runtime, job: Job): () => void {
  const answered = new Set<string>();
  const look = (): void => {
    for (const { id, execution, payload } of runtime.approvals.values()) {
      if (execution !== job.id || answered.has(id)) continue;
      answered.add(id);
      runtime.answer(id, answerFor(id, findingsOf(payload), job));
    }
  };
  look();
  return runtime.store.subscribe(look);
}

function answerFor(
  approval: string,
  findings: readonly Finding[],
  { approve, reviewer }: Job,
): Parameters<Runtime["answer"]>[1] {
  const ids = findings.map(({ id }) => id);
  const review = { ...newReview(approval), findings, reason: approve === "none" ? "--approve none" : "" };
  const decided = decide(review, ids, approve === "all" ? "accepted" : "dismissed");
  return answerOf(decided, { approved: true, by: reviewer });
}

async function deliver(runtime: Runtime, session: Session, { id }: Job, graph: Graph): Promise<void> {
  const execution = await ended(runtime, id);
  const { files, findings, summary } = await reportOf(execution.output, runtime.blobs);
  for (const file of Object.values(files)) await session.deliver(file);
  const decided = (how: string): number => findings.filter(({ decision }) => decision === how).length;
  await session.tell({
    kind: "done",
    steps: stepsOf(runOf(execution, runtime), graph),
    summary: { ...summary, accepted: decided("accepted"), dismissed: decided("dismissed") },
  });
}

async function ended(runtime: Runtime, id: string): Promise<ExecutionView> {
  const execution = await runtime.archive.execution(id);
  if (!execution) throw new Error(`the archive does not know run ${id}`);
  return execution;
}
