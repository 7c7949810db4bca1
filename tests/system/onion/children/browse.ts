/**
 * A person with a browser: `browse.ts PROXY URL FILE FOLDER` has Chromium use PROXY, open URL (the page of
 * `destination.ts`), send FILE by its form and fetch its download into FOLDER. Prints what was seen as JSON.
 *
 * @module
 */
// deno-lint-ignore-file no-console -- its output is for the test that started it
import { DevTools } from "./dev_tools.ts";

const FLAGS: readonly string[] = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic"],
  ...["--no-first-run", "--disable-background-networking", "--disable-sync"],
  ...["--disable-component-update", "--disable-dev-shm-usage"],
  ...["--disable-features=HttpsUpgrades", "--remote-debugging-port=0"],
];

/** What the browser has shown. */
export interface Browsed {
  readonly title: string;
  /** What the script of the page has written. */
  readonly said: string;
  /** Width of the picture in pixels; 0 if it was not loaded. */
  readonly width: number;
  /** SHA-256 of the file, as the destination says. */
  readonly sum: string;
  /** Path of what was downloaded. */
  readonly downloaded: string;
}

if (import.meta.main) await main(Deno.args);

async function main(
  [proxy = "", url = "", file = "", folder = ""]: readonly string[],
): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "sotto-browser-" });
  const browser = new Deno.Command("chromium", {
    args: [...FLAGS, `--user-data-dir=${home}`, `--proxy-server=${proxy}`],
    env: { HOME: home },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  try {
    using tools = await DevTools.open(await addressOf(browser.stderr));
    console.log(JSON.stringify(await browse(tools, url, file, folder)));
    await tools.ask("Browser.close");
    await browser.status;
  } finally {
    try {
      browser.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await Deno.remove(home, { recursive: true }).catch(() => {});
  }
}

async function browse(
  tools: DevTools,
  url: string,
  file: string,
  folder: string,
): Promise<Browsed> {
  await tools.attach();
  await tools.load(() => tools.ask("Page.navigate", { url }));
  const title = await tools.evaluate("document.title");
  const said = await tools.evaluate(
    "document.getElementById('said').textContent",
  );
  const width = await tools.evaluate(
    "document.getElementById('picture').naturalWidth",
  );
  const { root } = await tools.ask("DOM.getDocument");
  const input = { nodeId: root.nodeId, selector: "#file" };
  const { nodeId } = await tools.ask("DOM.querySelector", input);
  await tools.ask("DOM.setFileInputFiles", { nodeId, files: [file] });
  await tools.load(() => click(tools, "send"));
  const sum = await tools.evaluate(
    "document.getElementById('sum').textContent",
  );
  await tools.load(() => tools.ask("Page.navigate", { url }));
  await tools.ask("Browser.setDownloadBehavior", {
    behavior: "allow",
    downloadPath: folder,
    eventsEnabled: true,
  });
  const done = tools.event(
    "Browser.downloadProgress",
    ({ state }) => state !== "inProgress",
  );
  await click(tools, "download");
  const { state } = await done;
  if (state !== "completed") throw new Error(`The download was ${state}`);
  return {
    title: String(title),
    said: String(said),
    width: Number(width),
    sum: String(sum),
    downloaded: `${folder}/file.bin`,
  };
}

async function click(tools: DevTools, id: string): Promise<void> {
  await tools.evaluate(`document.getElementById('${id}').click()`);
}

/** Where the browser says that its tools are; what it says later is thrown away. */
async function addressOf(
  stderr: ReadableStream<Uint8Array>,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  (async () => {
    let said = "";
    const decoder = new TextDecoder();
    for await (const part of stderr) {
      said += decoder.decode(part, { stream: true });
      const found = /DevTools listening on (ws:\S+)/.exec(said);
      if (found !== null) resolve(found[1]!);
    }
    reject(new Error(`Chromium has ended: ${said}`));
  })().catch(reject);
  return await promise;
}
