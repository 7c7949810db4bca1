export { run, usage } from "./relay/serve.ts";
