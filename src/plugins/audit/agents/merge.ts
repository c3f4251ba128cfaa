import { exposeAgent } from "../../../workers/agent.ts";
import { mergeAgent } from "../merge.ts";

exposeAgent(mergeAgent);
