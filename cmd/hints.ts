/** What the person can do about an error, by the stable code that the library gives it. */
const BY_CODE: Readonly<Record<string, string>> = {};

/** The same for the errors of the platform, which have no code of ours, by the name of their class. */
const BY_NAME: Readonly<Record<string, string>> = {
  ConnectionRefused:
    "nothing answers at that address; is the server running there?",
  ConnectionReset: "the other side hung up; try again",
  TimedOut: "no answer in time; check the address and the network",
  AddrInUse:
    "something listens there already; choose another port with --listen",
  AddrNotAvailable: "this machine does not have that address",
  PermissionDenied: "you may not do that here; check owner and permissions",
  NotFound: "check the path",
};

/** A hint for `error` itself, not for its causes; undefined when there is nothing useful to say. */
export function hintFor(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const code = "code" in error ? error.code : undefined;
  if (typeof code === "string" && Object.hasOwn(BY_CODE, code)) {
    return BY_CODE[code];
  }
  return Object.hasOwn(BY_NAME, error.name) ? BY_NAME[error.name] : undefined;
}

/** The library's codes that have a hint, so that a test can compare them with the library. */
export function hintedCodes(): string[] {
  return Object.keys(BY_CODE);
}
