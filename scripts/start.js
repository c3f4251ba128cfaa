import { main } from "./toolchain.js";

await main("scripts/start/main.js");
