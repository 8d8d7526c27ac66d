// SPDX-License-Identifier: Apache-2.0
import { getEventListeners } from "node:events";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { runProcess, startProcess } from "../../src/system/process.ts";
import { temporaryFolder } from "../open-repositories.ts";

const shell = (script: string) => ["-c", script] as const;

describe("runProcess", () => {
  it("gives back what was written, and the code", async () => {
    const { end, stdout } = await runProcess("sh", shell("echo out; echo wrong >&2; exit 3"));

    expect(stdout.toString()).toBe("out\n");
    expect(end).toEqual({ kind: "exited", exitCode: 3, errorTail: "wrong" });
  });

  it("hands arguments over as they are", async () => {
    const { stdout } = await runProcess("printf", ["%s|", "a b", "$HOME", "*", ""]);

    expect(stdout.toString()).toBe("a b|$HOME|*||");
  });

  it.each(["text", Buffer.from("text"), chunks("te", "xt")])("hands over stdin: %o", async (stdin) => {
    const { stdout } = await runProcess("cat", [], { stdin });

    expect(stdout.toString()).toBe("text");
  });

  it("uses the environment and the directory that it is told to", async () => {
    const { stdout } = await runProcess("sh", shell("echo $WORD; pwd"), {
      env: { WORD: "hello", PATH: process.env["PATH"] },
      cwd: "/",
    });

    expect(stdout.toString()).toBe("hello\n/\n");
  });

  it("says that a program is not there", async () => {
    const { end, stdout } = await runProcess("no-such-program", [], { stdin: "ignored" });

    expect(end).toEqual({ kind: "not-started", reason: "ENOENT" });
    expect(stdout.length).toBe(0);
  });

  it("does not mind that a program does not read its input", async () => {
    const { end } = await runProcess("true", [], { stdin: Buffer.alloc(10_000_000) });

    expect(end).toMatchObject({ kind: "exited", exitCode: 0 });
  });

  it("does not wait for an input that never ends when the program has ended", async () => {
    async function* endless(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("some");
      await new Promise(() => undefined);
    }

    const { end } = await runProcess("true", [], { stdin: endless() });

    expect(end).toMatchObject({ kind: "exited", exitCode: 0 });
  });

  it("hands out lines of both streams as they come", async () => {
    const lines: string[] = [];

    await runProcess("sh", shell("echo one; echo two >&2; printf three"), {
      onLine: (line, stream) => lines.push(`${stream} ${line}`),
    });

    expect(lines.sort()).toEqual(["stderr two", "stdout one", "stdout three"]);
  });

  it("keeps the end of a long stderr", async () => {
    const { end } = await runProcess("sh", shell("seq 1 20000 >&2; exit 1"));

    const { errorTail } = end as { errorTail: string };
    expect(errorTail.length).toBeLessThanOrEqual(16 * 1024);
    expect(errorTail.endsWith("\n20000")).toBe(true);
  });

  it("drops what is written beyond its limit, without stopping the program", async () => {
    const { end, stdout } = await runProcess("sh", shell("head -c 3000000 /dev/zero; exit 7"));

    expect(stdout.length).toBe(1024 * 1024);
    expect(end).toMatchObject({ exitCode: 7 });
  });

  it("ends a program after its time, with everything that it started", async () => {
    const file = join(await temporaryFolder(), "pid");

    const { end } = await runProcess("sh", shell(`sleep 60 & echo $! > ${file}; wait`), { timeout: 200 });

    expect(end.kind).toBe("timed-out");
    expect(await isGone(file)).toBe(true);
  });

  it("ends a program with the signal, with everything that it started", async () => {
    const file = join(await temporaryFolder(), "pid");
    const controller = new AbortController();
    const onLine = () => controller.abort();

    const running = runProcess("sh", shell(`sleep 60 & echo $! > ${file}; echo started; wait`), {
      signal: controller.signal,
      onLine,
    });

    await expect(running).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await isGone(file)).toBe(true);
  });

  it("lets go of the signal when the program has ended", async () => {
    const { signal } = new AbortController();

    await runProcess("true", [], { signal });

    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("kills a program that does not listen to SIGTERM", async () => {
    const controller = new AbortController();
    const onLine = () => controller.abort();

    const running = runProcess("sh", shell("trap '' TERM; echo started; while :; do sleep 0.1; done"), {
      signal: controller.signal,
      onLine,
    });

    await expect(running).rejects.toMatchObject({ code: "CANCELLED" });
  });

  it("tells of a program that was killed by somebody else", async () => {
    const { end } = await runProcess("sh", shell("kill -9 $$"));

    expect(end).toEqual({ kind: "killed", signal: "SIGKILL", errorTail: "" });
  });

  it("throws the error of the stream that it reads stdin from, and ends the program", async () => {
    const torn = new Error("torn");
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.from("some");
      throw torn;
    }

    const running = runProcess("sh", shell("cat >/dev/null; sleep 60"), { stdin: failing() });

    await expect(running).rejects.toBe(torn);
  });
});

describe("startProcess", () => {
  it("waits for its reader", async () => {
    const running = startProcess("sh", shell("head -c 50000000 /dev/zero; echo done >&2"));
    let length = 0;

    for await (const chunk of running.stdout) {
      length += chunk.length;
      if (length < 500_000) await pause(1);
    }

    expect(length).toBe(50_000_000);
    expect(await running.ended).toEqual({ kind: "exited", exitCode: 0, errorTail: "done" });
  });

  it("ends the program when its reader leaves", async () => {
    const running = startProcess("sh", shell("yes; sleep 60"));

    for await (const chunk of running.stdout) if (chunk.length > 0) break;

    expect(await running.ended).toMatchObject({ kind: "killed" });
  });

  it("passes a stream through a program", async () => {
    const running = startProcess("tr", ["a-z", "A-Z"], { stdin: chunks("one ", "two ", "three") });
    let text = "";

    for await (const chunk of running.stdout) text += Buffer.from(chunk).toString();

    expect(text).toBe("ONE TWO THREE");
  });
});

async function* chunks(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield Buffer.from(part);
}

/** Whether the process whose id is in the file has ended; looked at for a while, since a killed child is reaped late. */
async function isGone(file: string): Promise<boolean> {
  const pid = (await readFile(file, "utf8")).trim();
  for (let looks = 0; looks < 100; looks++) {
    const state = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined);
    if (state === undefined || /\) [ZX] /.test(state)) return true;
    await pause(10);
  }
  return false;
}
