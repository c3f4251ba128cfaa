import { exposeAgent } from "../../../workers/agent.ts";
import { reportAgent } from "../report.ts";

exposeAgent(reportAgent);
