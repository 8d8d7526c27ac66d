// SPDX-License-Identifier: Apache-2.0

/** Signals of Linux as Docker accepts them in STOPSIGNAL (github.com/moby/sys/signal, `SignalMap`). */
const names: ReadonlySet<string> = new Set(
  (
    "ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP " +
    "TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX"
  ).split(" "),
);

/** Whether Docker knows a signal by this name or number. */
export function isSignal(text: string): boolean {
  if (/^[0-9]+$/.test(text)) return Number(text) > 0 && Number(text) <= 64;
  const name = text.toUpperCase().replace(/^SIG/, "");
  const offset = /^RT(?:MIN\+([0-9]+)|MAX-([0-9]+))$/.exec(name);
  if (offset !== null) {
    const distance = Number(offset[1] ?? offset[2]);
    return distance >= 1 && distance <= (offset[1] === undefined ? 14 : 15);
  }
  return names.has(name);
}
