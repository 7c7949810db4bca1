// The parts of the standard library that this project uses, described in its own words: the npm
// edition that the import map names ships JavaScript without declarations. A test checks that every
// name declared here exists at run time.

declare module "@std/assert" {
  export function assert(
    condition: unknown,
    message?: string,
  ): asserts condition;
  export function assertEquals<T>(
    actual: T,
    expected: T,
    message?: string,
  ): void;
  export function assertNotEquals<T>(
    actual: T,
    expected: T,
    message?: string,
  ): void;
  export function assertStrictEquals<T>(
    actual: unknown,
    expected: T,
    message?: string,
  ): asserts actual is T;
  export function assertExists<T>(
    actual: T,
    message?: string,
  ): asserts actual is NonNullable<T>;
  export function assertMatch(
    actual: string,
    expected: RegExp,
    message?: string,
  ): void;
  export function assertStringIncludes(
    actual: string,
    expected: string,
    message?: string,
  ): void;
  export function assertGreater<T>(
    actual: T,
    expected: T,
    message?: string,
  ): void;
  export function assertLess<T>(actual: T, expected: T, message?: string): void;
  // deno-lint-ignore no-explicit-any
  type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;
  export function assertThrows<E extends Error = Error>(
    body: () => unknown,
    errorClass?: ErrorClass<E>,
    messageIncludes?: string,
    message?: string,
  ): E;
  export function assertRejects<E extends Error = Error>(
    body: () => PromiseLike<unknown>,
    errorClass?: ErrorClass<E>,
    messageIncludes?: string,
    message?: string,
  ): Promise<E>;
}

declare module "@std/cli/parse-args" {
  export interface ParseOptions<
    S extends string,
    B extends string,
    C extends string,
  > {
    string?: readonly S[];
    boolean?: readonly B[];
    collect?: readonly C[];
    alias?: Record<string, string>;
    default?: Record<string, unknown>;
    negatable?: readonly string[];
    "--"?: boolean;
    stopEarly?: boolean;
    unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  }
  export function parseArgs<
    const S extends string = never,
    const B extends string = never,
    const C extends string = never,
  >(
    args: readonly string[],
    options?: ParseOptions<S, B, C>,
  ):
    & { _: (string | number)[] }
    & { [K in Exclude<S, C>]?: string }
    & { [K in C]: string[] }
    & { [K in B]: boolean };
}

declare module "@std/cli/prompt-secret" {
  export interface PromptSecretOptions {
    mask?: string;
    clear?: boolean;
  }
  export function promptSecret(
    message?: string,
    options?: PromptSecretOptions,
  ): string | null;
}

declare module "@std/encoding" {
  export function encodeBase32(data: Uint8Array | string): string;
  export function decodeBase32(text: string): Uint8Array<ArrayBuffer>;
}

declare module "@std/streams" {
  export function toText(stream: ReadableStream<Uint8Array>): Promise<string>;
  export function toBytes(
    stream: ReadableStream<Uint8Array>,
  ): Promise<Uint8Array<ArrayBuffer>>;
}
