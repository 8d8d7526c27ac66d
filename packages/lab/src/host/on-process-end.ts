// SPDX-License-Identifier: Apache-2.0

const actions = new Set<() => void>();
const signals = ["SIGINT", "SIGTERM"] as const;

/**
 * Has something done when this process ends: by itself, by `process.exit`, or by SIGINT or SIGTERM.
 *
 * @param action must be synchronous, since nothing else is possible at that time
 * @returns takes it back
 */
export function onProcessEnd(action: () => void): () => void {
  if (actions.size === 0) listen();
  actions.add(action);
  return () => {
    actions.delete(action);
    if (actions.size === 0) ignore();
  };
}

function listen(): void {
  process.on("exit", perform);
  for (const signal of signals) process.on(signal, performAndDie);
}

function ignore(): void {
  process.off("exit", perform);
  for (const signal of signals) process.off(signal, performAndDie);
}

function perform(): void {
  for (const action of actions) {
    try {
      action();
    } catch {
      // The others still have to be done, and there is nobody left to tell.
    }
  }
  actions.clear();
}

/** Having a listener takes away a signal's own effect; without other listeners we give it back. */
function performAndDie(signal: NodeJS.Signals): void {
  perform();
  ignore();
  if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
}
