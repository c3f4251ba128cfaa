import { main } from "./toolchain.js";

process.env["INIT_CWD"] ??= process.cwd(); // npm sets it; paths are meant from where the command was typed
process.on("SIGINT", () => undefined); // Ctrl-C reaches the command itself too, which tidies up; this waits for it

await main("scripts/start/main.js");
