import { assert, assertEquals, assertRejects } from "@std/assert";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
// @ts-types="./_send.d.ts"
import send from "npm:send@1.2.0";
import { cooperate, serveFiles, sleep, spawn, TcpClient } from "../../mod.ts";
import { text } from "./_scripted.ts";
import { withServer } from "./_with_server.ts";

/** A folder to be given out, beside what must not be. */
async function withFolder(body: (folder: string, root: string) => Promise<void>): Promise<void> {
  const root = await Deno.makeTempDir();
  const folder = `${root}/public`;
  await Deno.mkdir(`${folder}/sub/empty`, { recursive: true });
  await Deno.mkdir(`${folder}/site`);
  await Deno.mkdir(`${root}/public-too`);
  await Deno.writeTextFile(`${root}/secret.txt`, "secret");
  await Deno.writeTextFile(`${root}/public-too/secret.txt`, "secret");
  await Deno.writeTextFile(`${folder}/index.html`, "<h1>home</h1>");
  await Deno.writeTextFile(`${folder}/site/index.html`, "<h1>site</h1>");
  await Deno.writeTextFile(`${folder}/sub/a b.txt`, "text");
  await Deno.writeTextFile(`${folder}/sub/grüße%2e.txt`, "greetings");
  await Deno.writeTextFile(`${folder}/digits.txt`, "0123456789");
  await Deno.writeTextFile(`${folder}/none.txt`, "");
  await Deno.writeFile(`${folder}/big.bin`, new Uint8Array(1_000_000).fill(7));
  await Deno.symlink(`${root}/secret.txt`, `${folder}/link.txt`);
  await Deno.symlink(root, `${folder}/up`);
  await Deno.mkdir(`${folder}/linked`);
  await Deno.symlink(`${root}/secret.txt`, `${folder}/linked/index.html`);
  await Deno.symlink(`${folder}/digits.txt`, `${folder}/inside.txt`);
  await Deno.symlink(`${folder}/loop`, `${folder}/loop`);
  try {
    await body(folder, root);
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function get(url: string, init?: RequestInit): Promise<[number, string]> {
  const response = await cooperate(fetch(url, { redirect: "manual", ...init }));
  return [response.status, await cooperate(response.text())];
}

Deno.test("serveFiles() gives out the files of a folder, each with its type, and tells of them to HEAD", async () => {
  await withFolder((folder) =>
    withServer((request) => serveFiles(request, folder), async (url) => {
      const home = await fetch(url);
      assertEquals([home.status, await home.text()], [200, "<h1>home</h1>"]);
      assertEquals(home.headers.get("content-type"), "text/html; charset=UTF-8");
      assertEquals(await get(`${url}/sub/a%20b.txt`), [200, "text"]);
      assertEquals(await get(`${url}/sub/gr%C3%BC%C3%9Fe%252e.txt`), [200, "greetings"]);
      assertEquals(await get(`${url}/inside.txt`), [200, "0123456789"]);
      assertEquals(await get(`${url}/none.txt`), [200, ""]);
      const big = await fetch(`${url}/big.bin`);
      assertEquals(big.headers.get("content-type"), "application/octet-stream");
      assertEquals((await big.bytes()).every((byte) => byte === 7), true);
      const head = await fetch(`${url}/big.bin`, {
        method: "HEAD",
        headers: { range: "bytes=0-1" },
      });
      assertEquals([head.status, await head.text()], [200, ""]);
      assertEquals(head.headers.get("content-length"), "1000000");
      assertEquals(head.headers.get("accept-ranges"), "bytes");
      const wrong = await fetch(url, { method: "DELETE" });
      assertEquals([wrong.status, wrong.headers.get("allow")], [405, "GET, HEAD"]);
      await wrong.body?.cancel();
      for (const path of ["/nothing", "/sub", "/sub/", "/sub/empty/", "/none.txt/", "/loop"]) {
        assertEquals((await get(url + path))[0], 404, path);
      }
      assertEquals((await get(`${url}/${"x".repeat(300)}`))[0], 404);
    })
  );
});

Deno.test("serveFiles() sends who asks for a folder to the same with a slash, and never to another host", async () => {
  await withFolder((folder) =>
    withServer((request) => serveFiles(request, folder), async (url) => {
      assertEquals(await get(`${url}/site/`), [200, "<h1>site</h1>"]);
      const response = await fetch(`${url}/site?a=b`, { redirect: "manual" });
      assertEquals([response.status, response.headers.get("location")], [301, "./site/?a=b"]);
      await response.body?.cancel();
      assertEquals((await get(`${url}/site`, { redirect: "follow" }))[1], "<h1>site</h1>");
      const strange = await fetch(`${url}//site`, { redirect: "manual" });
      assertEquals(strange.headers.get("location"), "./site/");
      await strange.body?.cancel();
    })
  );
});

/** As a client sends them that does not tidy up. */
const PATHS = [
  "/../secret.txt",
  "/sub/../../secret.txt",
  "/%2e%2e/secret.txt",
  "/..%2fsecret.txt",
  "/%2e%2e%2fsecret.txt",
  "/%252e%252e%252fsecret.txt",
  "/%2e%2e%2fpublic-too/secret.txt",
  "/..\\secret.txt",
  "/..%5csecret.txt",
  "/....//secret.txt",
  "/sub/%2e%2e/%2e%2e/secret.txt",
  "/./../secret.txt",
  "/link.txt",
  "/up/secret.txt",
  "/up/public-too/secret.txt",
  "/linked",
  "/linked/",
  "/up",
  "/up/",
  "/digits.txt/../../secret.txt",
  "/%00",
  "/secret.txt%00.html",
  "/..%00/secret.txt",
  "/%ff",
  "/%c0%ae%c0%ae/secret.txt",
  "/%",
  "//etc/hostname",
  "/%2fetc%2fhostname",
  "/file:///etc/hostname",
  "/~root/",
];

Deno.test("serveFiles() gives out nothing outside of its folder, however it is asked", async () => {
  await withFolder((folder) =>
    withServer((request) => serveFiles(request, folder), async (url) => {
      const seen: Record<string, number> = {};
      for (const path of PATHS) {
        const client = new TcpClient();
        await client.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
        await client.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
        const answer = text(await client.readBytes(100_000))!;
        assert(
          !/\r\n\r\nsecret/.test(answer) && !/^HTTP\/1.1 (200|5)/.test(answer),
          `${path}: ${answer}`,
        );
        seen[answer.split(" ")[1]] = (seen[answer.split(" ")[1]] ?? 0) + 1;
        client.close();
      }
      assertEquals(Object.keys(seen).every((status) => ["400", "404"].includes(status)), true);
    })
  );
});

/** Has a server of `send`, which gives out files in Express, while `body` runs. */
async function withSend(folder: string, body: (url: string) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    send(request, request.url!, { root: folder }).pipe(response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  try {
    await body(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

Deno.test("serveFiles() answers to conditions and ranges as Express does", async () => {
  await withFolder((folder) =>
    withServer(
      (request) => serveFiles(request, folder),
      (ours) =>
        withSend(folder, async (theirs) => {
          const ask = async (url: string, asked: Record<string, string>) => {
            const response = await fetch(`${url}/digits.txt`, { headers: asked });
            const { status, headers } = response;
            const body = await response.text();
            return { response, seen: [status, headers.get("content-range"), status < 300 && body] };
          };
          const tags = new Map<string, string>();
          let changed = "";
          for (const url of [ours, theirs]) {
            const { headers } = (await ask(url, {})).response;
            tags.set(url, headers.get("etag")!);
            changed = headers.get("last-modified")!;
          }
          const before = new Date(Date.parse(changed) - 10_000).toUTCString();
          const after = new Date(Date.parse(changed) + 10_000).toUTCString();
          const questions: Record<string, string>[] = [
            {},
            ...["0-", "0-3", "3-3", "9-", "9-100", "10-", "100-200", "-1", "-3", "0-9"]
              .map((range) => ({ range: `bytes=${range}` })),
            ...["bytes=a-b", "lines=0-1", "0-1", "bytes=1"].map((range) => ({ range })),
            { range: "bytes=2-4", "if-range": changed },
            { range: "bytes=2-4", "if-range": before },
            { range: "bytes=2-4", "if-range": '"other"' },
            { "if-none-match": "ETAG" },
            { "if-none-match": "*" },
            { "if-none-match": '"other", ETAG' },
            { "if-none-match": '"other"' },
            { "if-none-match": '"other"', "if-modified-since": after },
            { "if-match": "*" },
            { "if-match": '"other"' },
            { "if-modified-since": changed },
            { "if-modified-since": before },
            { "if-modified-since": after },
            { "if-modified-since": "yesterday" },
            { "if-unmodified-since": before },
            { "if-unmodified-since": after },
          ];
          for (const question of questions) {
            const asked = (url: string) =>
              Object.fromEntries(
                Object.entries(question).map(([name, value]) => [
                  name,
                  value.replace("ETAG", tags.get(url)!),
                ]),
              );
            assertEquals(
              (await ask(ours, asked(ours))).seen,
              (await ask(theirs, asked(theirs))).seen,
              JSON.stringify(question),
            );
          }
        }),
    )
  );
});

Deno.test("serveFiles() answers to conditions by ETag, and for the rest of a file that may have changed", async () => {
  await withFolder(async (folder) => {
    const ask = async (headers: Record<string, string>) => {
      const response = await serveFiles(
        new Request("http://localhost/digits.txt", { headers }),
        folder,
      );
      return [response.status, await response.text()];
    };
    const first = await serveFiles(new Request("http://localhost/digits.txt"), folder);
    await first.body?.cancel();
    const [changed, etag] = ["last-modified", "etag"].map((name) => first.headers.get(name)!);
    const before = new Date(Date.parse(changed) - 10_000).toUTCString();
    const [whole, refused] = [[200, "0123456789"], [412, "Precondition Failed"]];
    assertEquals(await ask({ "if-match": etag }), whole);
    assertEquals(await ask({ "if-match": `W/${etag}` }), refused);
    assertEquals(await ask({ "if-match": '"other"' }), refused);
    assertEquals(await ask({ "if-match": "*" }), whole);
    assertEquals(await ask({ "if-unmodified-since": before }), refused);
    assertEquals(await ask({ "if-unmodified-since": changed }), whole);
    assertEquals(await ask({ "if-none-match": `W/${etag}` }), [304, ""]);
    const range = "bytes=2-4";
    assertEquals(await ask({ range, "if-range": etag }), [206, "234"]);
    assertEquals(await ask({ range, "if-range": `W/${etag}` }), whole);
    assertEquals(await ask({ range, "if-range": '"other"' }), whole);
    assertEquals(await ask({ range, "if-range": changed }), [206, "234"]);
    assertEquals(await ask({ range, "if-range": before }), whole);
    assertEquals(await ask({ range: "bytes=0-1,4-5" }), whole);
    assertEquals(await ask({ range: "bytes=5-4" }), whole);
    assertEquals(await ask({ range: "bytes=-100" }), [206, "0123456789"]);
    assertEquals(await ask({ range: "bytes=-0" }), [416, "Range Not Satisfiable"]);
    // Changed in the same second, to another length: another file.
    await Deno.writeTextFile(`${folder}/digits.txt`, "0123456789x");
    assertEquals((await ask({ "if-none-match": etag }))[0], 200);
  });
});

Deno.test("parts of a big file, asked for by several at once, fit together", async () => {
  await withFolder(async (folder) => {
    const data = crypto.getRandomValues(new Uint8Array(60_000));
    await Deno.writeFile(`${folder}/data.bin`, data);
    await withServer((request) => serveFiles(request, folder), async (url) => {
      const parts = await Promise.all(
        Array.from({ length: 6 }, async (_, i) => {
          const range = `bytes=${i * 10_000}-${i * 10_000 + 9_999}`;
          const response = await fetch(`${url}/data.bin`, { headers: { range } });
          assertEquals(response.headers.get("content-range"), `${range.replace("=", " ")}/60000`);
          return [...await response.bytes()];
        }),
      );
      assertEquals(new Uint8Array(parts.flat()), data);
      const response = await fetch(`${url}/data.bin`, { headers: { range: "bytes=9-" } });
      assertEquals(await response.bytes(), data.slice(9));
    });
  });
});

Deno.test("a client that goes away while it is given a file, or a part of it, leaves none open", async () => {
  await withFolder((folder) =>
    withServer((request) => serveFiles(request, folder), async (url) => {
      await Deno.truncate(`${folder}/big.bin`, 50_000_000);
      for (const range of ["", "Range: bytes=5-\r\n"]) {
        const client = new TcpClient();
        await client.connect({ hostname: "127.0.0.1", port: Number(new URL(url).port) });
        await client.write(`GET /big.bin HTTP/1.1\r\nHost: x\r\n${range}\r\n`);
        await client.read();
        client.close();
      }
      await sleep(50); // The test's sanitizer sees files that are open.
    })
  );
});

Deno.test("a serveFiles() that is killed at whichever time leaves no file open", async () => {
  await withFolder(async (folder) => {
    for (let steps = 0; steps < 40; steps++) {
      const task = spawn(async () => {
        const response = await serveFiles(new Request("http://localhost/big.bin"), folder);
        await response.body?.cancel();
      });
      for (let i = 0; i < steps; i++) {
        if (i % 2 === 0) await sleep(0);
        else await cooperate(new Promise<void>((resolve) => setImmediate(resolve)));
      }
      task.kill();
      await task.join();
    }
    await sleep(50);
  });
});

Deno.test({
  name: "serveFiles() does not wait at a named pipe",
  ignore: Deno.build.os === "windows",
  async fn() {
    await withFolder(async (folder) => {
      const made = await new Deno.Command("mkfifo", { args: [`${folder}/pipe`] }).output();
      assert(made.success);
      const response = await serveFiles(new Request("http://localhost/pipe"), folder);
      assertEquals([response.status, await response.text()], [404, "Not Found"]);
    });
  },
});

Deno.test("a file that grows while it is given out is given out as long as it was", async () => {
  await withFolder((folder) =>
    withServer(async (request) => {
      const response = await serveFiles(request, folder);
      await Deno.writeTextFile(`${folder}/digits.txt`, "more", { append: true });
      return response;
    }, async (url) => {
      assertEquals(await get(`${url}/digits.txt`), [200, "0123456789"]);
      assertEquals(await get(`${url}/digits.txt`), [200, "0123456789more"]);
    })
  );
});

Deno.test("serveFiles() of what is no folder answers 404, and what is no path is a TypeError", async () => {
  const request = new Request("http://localhost/");
  for (const root of ["/nowhere", new URL("file:///nowhere")]) {
    const response = await serveFiles(request, root);
    assertEquals([response.status, await response.text()], [404, "Not Found"]);
  }
  await assertRejects(() => serveFiles(request, 5 as never), TypeError);
});
