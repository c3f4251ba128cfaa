import { exposeAgent } from "../../../workers/agent.ts";
import { dependenciesAgent } from "../dependencies.ts";

exposeAgent(dependenciesAgent);
