/**
 * A whole network on one machine: controllers, relays, a server, a proxy and the homes of people, each
 * member a process of its own, on real sockets, with keys, ports and logs in one directory. It is for
 * trying things out and for tests. It does not build what it runs: how a process is started it is told,
 * and it talks to them as anybody would.
 *
 * @module
 */
export { launchProgram } from "./launch.ts";
export { Lab } from "./lab.ts";
export { LabError } from "./lab_error.ts";
export { Member } from "./member.ts";
export { checkPlan, DEFAULT_PLAN } from "./plan.ts";
export { raiseLab } from "./raise_lab.ts";
export { NOTHING_KEPT, readKept } from "./kept.ts";

export type { Kept } from "./kept.ts";
export type { Launch, Program } from "./launch.ts";
export type { LabErrorCode } from "./lab_error.ts";
export type { LabOptions } from "./lab_options.ts";
export type { LabPlan } from "./plan.ts";
export type { MemberCommand, Ran } from "./crew.ts";
