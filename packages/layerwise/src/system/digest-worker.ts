// SPDX-License-Identifier: Apache-2.0
import { parentPort, workerData } from "node:worker_threads";
import { type DigestJob, doDigestJob } from "./digest-job.ts";

/* The whole program of a thread that helps to hash; see context-digests.ts. */

doDigestJob(workerData as DigestJob);
parentPort?.postMessage("done");
