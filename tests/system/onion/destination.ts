import { createHash } from "node:crypto";
import type { Background } from "../../support/background.ts";
import type { Machine } from "./machine.ts";
import { startChild } from "./node_process.ts";

/** A request as the destination saw it. */
export interface SeenRequest {
  readonly method: string;
  readonly pathname: string;
  /** The address that it came from. */
  readonly from: string;
}

/** An HTTP server on some machine (`children/destination.ts`), and the file that it offers. */
export class Destination implements AsyncDisposable {
  /** Path of the file that it serves as `/file`. */
  readonly file: string;
  /** SHA-256 of that in hex. */
  readonly sum: string;
  /** Its length in bytes. */
  readonly size: number;
  readonly #folder: string;
  readonly #process: Background;

  private constructor(
    folder: string,
    size: number,
    sum: string,
    process: Background,
  ) {
    this.size = size;
    this.#folder = folder;
    this.file = `${folder}/file`;
    this.sum = sum;
    this.#process = process;
  }

  /**
   * Serves a file of `size` random bytes over HTTP at `port`, and over HTTPS at `securePort`, with a
   * certificate of its own making.
   */
  static async start(
    machine: Machine,
    port: number,
    size: number,
    securePort?: number,
  ): Promise<Destination> {
    const folder = await Deno.makeTempDir({ prefix: "sotto-destination-" });
    const path = `${folder}/file`;
    await Deno.writeFile(path, randomBytes(size));
    const secure = securePort === undefined
      ? []
      : [String(securePort), ...await makeCertificate(folder)];
    const args = [`${machine.host}:${port}`, path, ...secure];
    const process = await startChild(machine, "destination", args);
    await process.address(90_000);
    return new Destination(folder, size, await sumOfFile(path), process);
  }

  /** What was asked for so far. */
  get requests(): readonly SeenRequest[] {
    return new TextDecoder().decode(this.#process.output.stdout).split("\n")
      .filter((line) => line.startsWith("{")).map((line) => JSON.parse(line));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.stop("SIGKILL");
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** SHA-256 of a file, in hex. */
export async function sumOfFile(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await file.read(buffer);
    if (count === null) return hash.digest("hex");
    hash.update(buffer.subarray(0, count));
  }
}

function randomBytes(size: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(size);
  for (let at = 0; at < size; at += 65_536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65_536));
  }
  return bytes;
}

/** The paths of a certificate and its key in `folder`. */
async function makeCertificate(folder: string): Promise<string[]> {
  const [certificate, key] = [`${folder}/cert.pem`, `${folder}/key.pem`];
  const { success, stderr } = await new Deno.Command("openssl", {
    args: [
      ...["req", "-x509", "-newkey", "ec", "-pkeyopt"],
      ...["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"],
      ...["-subj", "/CN=site.test", "-keyout", key, "-out", certificate],
    ],
  }).output();
  if (success) return [certificate, key];
  throw new Error(`openssl: ${new TextDecoder().decode(stderr)}`);
}
