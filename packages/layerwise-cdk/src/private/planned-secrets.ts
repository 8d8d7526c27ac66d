// SPDX-License-Identifier: Apache-2.0
import { BuildSecret } from "../build-secret";
import type { PlannedSecret } from "./plan-file";
import { refusal } from "./refuse";

/** Secrets in the form of the plan: where they are. */
export function plannedSecrets(secrets: { readonly [id: string]: BuildSecret }): PlannedSecret[] {
  return Object.entries(secrets).map(([id, secret]) => {
    if (!(secret instanceof BuildSecret)) {
      throw refusal({
        what: `use the build secret ${id}`,
        why: "it is a plain value, which would stand in the cloud assembly and in logs",
        fix: "store it, and give BuildSecret.secretsManager(…) or BuildSecret.ssmParameter(…)",
      });
    }
    const service = secret.service as PlannedSecret["service"];
    return { id, service, name: secret.name, ...(secret.field === undefined ? {} : { field: secret.field }) };
  });
}
