// SPDX-License-Identifier: Apache-2.0
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import { cut } from "../../test/tar-archive.ts";
import { startGzip } from "./gzip.ts";

/** What is compressed at a time; here only to test what lies around it. */
const block = 512 * 1024;

describe("startGzip", () => {
  it.each([0, 1, 2, 32 * 1024, block - 1, block, block + 1, 2 * block, 5_000_000])(
    "writes what gunzip reads, for %d random bytes",
    async (length) => {
      const input = noise(length);

      const { bytes } = await compress(input);

      expect(gunzipSync(bytes).equals(input)).toBe(true);
    },
  );

  it.each([block, 5_000_000])("writes little for %d bytes that repeat", async (length) => {
    const input = Buffer.alloc(length, "the same text again and again, also across blocks\n");

    const { bytes } = await compress(input);

    expect(gunzipSync(bytes).equals(input)).toBe(true);
    expect(bytes.length).toBeLessThan(length / 100);
  });

  it("looks back into the block before", async () => {
    const window = noise(16 * 1024);
    const input = Buffer.concat([Buffer.alloc(block - window.length), window, window]);

    const { bytes } = await compress(input);

    expect(gunzipSync(bytes).equals(input)).toBe(true);
    expect(bytes.length).toBeLessThan(window.length * 1.1);
  });

  it("gives the same bytes whatever pieces the input comes in", async () => {
    const input = Buffer.concat([noise(700_000), Buffer.alloc(700_000, "text ")]);
    const { bytes: whole } = await compress(input);

    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1000, max: 600_000 }), { minLength: 1, maxLength: 4 }),
        async (sizes) => {
          const { bytes } = await compress(input, sizes);

          expect(bytes.equals(whole)).toBe(true);
        },
      ),
      { numRuns: 6 },
    );
  });

  it("says nothing of name, time and system", async () => {
    const { bytes } = await compress(Buffer.from("x"));

    expect([...bytes.subarray(0, 10)]).toEqual([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff]);
  });

  it("does not keep the pieces that it is given", async () => {
    const parts: Buffer[] = [];
    const gzip = startGzip(async (chunk) => void parts.push(Buffer.from(chunk)));
    const piece = Buffer.alloc(1000);
    for (let index = 0; index < 5; index++) await gzip.write(piece.fill(index));
    piece.fill(0xff);
    await gzip.end();

    expect([...new Set(gunzipSync(Buffer.concat(parts)))]).toEqual([0, 1, 2, 3, 4]);
  });

  it("waits for a receiver that is slow, with a handful of blocks in hand", async () => {
    let received = 0;
    let release: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => {
      release = resolve;
    });
    const gzip = startGzip(async (chunk) => {
      if (chunk.length > 10) await gate;
      received += chunk.length;
    });
    const input = noise(block);
    let written = 0;
    const writing = (async () => {
      for (; written < 20; written++) await gzip.write(input);
      await gzip.end();
    })();

    await vi.waitFor(() => expect(written).toBeGreaterThanOrEqual(4));
    await new Promise((resolve) => setImmediate(resolve));
    const writtenBefore = written;
    release();
    await writing;

    expect(writtenBefore).toBeLessThanOrEqual(6);
    expect(received).toBeGreaterThan(20 * block);
  });

  it("throws what the receiver throws, wherever that is", async () => {
    const full = new Error("full");
    const failing = (from: number) => {
      let count = 0;
      return startGzip(async () => {
        count += 1;
        if (count > from) throw full;
      });
    };
    const input = noise(10 * block);

    await expect(writeAll(failing(0), input)).rejects.toBe(full);
    await expect(writeAll(failing(3), input)).rejects.toBe(full);
    await expect(writeAll(failing(10), input)).rejects.toBe(full);
    await expect(writeAll(failing(11), input)).rejects.toBe(full);
  });
});

async function compress(input: Buffer, sizes: readonly number[] = [64 * 1024]): Promise<{ bytes: Buffer }> {
  const parts: Buffer[] = [];
  await writeAll(
    startGzip(async (chunk) => void parts.push(Buffer.from(chunk))),
    input,
    sizes,
  );
  return { bytes: Buffer.concat(parts) };
}

async function writeAll(
  gzip: ReturnType<typeof startGzip>,
  input: Buffer,
  sizes: readonly number[] = [block],
): Promise<void> {
  for (const piece of cut(input, sizes)) await gzip.write(piece);
  await gzip.end();
}

/** Bytes that nothing can compress, the same in every run. */
function noise(length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = 0x9e3779b9;
  for (let index = 0; index < length; index++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 0xff;
  }
  return bytes;
}
