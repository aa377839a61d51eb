import { assertEquals } from "@std/assert";
import { sleep, Timeout } from "../../mod.ts";
import { Example } from "./_process.ts";

/** Speaks to a browser as its developer tools do. */
class Browser {
  readonly #process: Deno.ChildProcess;
  readonly #profile: string;
  #socket: WebSocket | null = null;
  #session: string | undefined;
  #count = 0;
  readonly #answers = new Map<number, PromiseWithResolvers<Record<string, unknown>>>();

  constructor(profile: string) {
    this.#profile = profile;
    this.#process = new Deno.Command("chromium", {
      args: [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        // It would look up hosts of its maker's at every start.
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--no-first-run",
        "--remote-debugging-port=0",
        `--user-data-dir=${profile}`,
        "about:blank",
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  }

  async open(url: string): Promise<void> {
    let port = "";
    using _ = new Timeout(60_000, new Error("The browser does not start")).start();
    while (port === "") {
      await sleep(20);
      const file = await Deno.readTextFile(`${this.#profile}/DevToolsActivePort`).catch(() => "");
      port = file.split("\n").slice(0, 2).join("");
    }
    const socket = this.#socket = new WebSocket(`ws://127.0.0.1:${port}`);
    socket.onmessage = ({ data }) => {
      const { id, result } = JSON.parse(data);
      this.#answers.get(id)?.resolve(result);
    };
    await new Promise((resolve) => socket.onopen = resolve);
    const { targetId } = await this.#ask("Target.createTarget", { url });
    const { sessionId } = await this.#ask("Target.attachToTarget", { targetId, flatten: true });
    this.#session = sessionId as string;
  }

  async evaluate(expression: string): Promise<unknown> {
    const { result } = await this.#ask("Runtime.evaluate", { expression });
    return (result as { value?: unknown }).value;
  }

  async close(): Promise<void> {
    const gone = new Promise((resolve) => this.#socket!.onclose = resolve);
    this.#process.kill();
    await this.#process.status;
    await gone;
    await Deno.remove(this.#profile, { recursive: true }).catch(() => {});
  }

  #ask(method: string, params: object): Promise<Record<string, unknown>> {
    const answer = Promise.withResolvers<Record<string, unknown>>();
    this.#answers.set(++this.#count, answer);
    const message = { id: this.#count, method, params, sessionId: this.#session };
    this.#socket!.send(JSON.stringify(message));
    return answer.promise;
  }
}

Deno.test({
  name: "examples/web_app.ts works in a browser",
  ignore: !hasChromium(),
  async fn() {
    const example = Example.start("web_app.ts", ["0"], ["--allow-net", "--allow-read"]);
    const port = await example.port();
    const browser = new Browser(await Deno.makeTempDir());
    await browser.open(`http://127.0.0.1:${port}/`);
    const shown = async (lines: string[]) => {
      const list =
        `JSON.stringify([...document.querySelectorAll("#log li")].map((l) => l.innerText))`;
      for (let i = 0; i < 200; i++) {
        if (await browser.evaluate(list) === JSON.stringify(lines)) return;
        await sleep(50);
      }
      assertEquals(await browser.evaluate(list), JSON.stringify(lines));
    };
    await shown(["connected", "hello from the page"]);
    const other = new WebSocket(`ws://127.0.0.1:${port}/talk`);
    await new Promise((resolve) => other.onopen = resolve);
    other.send("hello from outside");
    await shown(["connected", "hello from the page", "hello from outside"]);
    const heard = new Promise((resolve) =>
      other.onmessage = ({ data }) => data === "typed" && resolve(data)
    );
    await browser.evaluate(
      `document.querySelector("#text").value = "typed"; document.querySelector("button").click()`,
    );
    assertEquals(await heard, "typed");
    const gone = new Promise((resolve) => other.onclose = resolve);
    await example.interrupt();
    await gone;
    await shown([
      "connected",
      "hello from the page",
      "hello from outside",
      "typed",
      "disconnected",
    ]);
    await browser.close();
  },
});

function hasChromium(): boolean {
  try {
    return new Deno.Command("chromium", { args: ["--version"], stdout: "null", stderr: "null" })
      .outputSync().success;
  } catch {
    return false;
  }
}
