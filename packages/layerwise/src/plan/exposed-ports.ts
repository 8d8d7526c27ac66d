// SPDX-License-Identifier: Apache-2.0

const form = /^([0-9]+)(?:-([0-9]+))?(?:\/([A-Za-z]+))?$/;
const protocols: ReadonlySet<string> = new Set(["tcp", "udp", "sctp"]);
const largestPort = 65535;

/**
 * The ports of EXPOSE in an image config's form, `80/tcp`. Undefined if a word has a form that front ends treat
 * differently or refuse: host addresses, host ports, other protocols, ranges that run backwards.
 */
export function portsOf(words: readonly string[]): readonly string[] | undefined {
  const ports = new Set<string>();
  for (const word of words) {
    const match = form.exec(word);
    if (match === null) return undefined;
    const first = Number(match[1]);
    const last = Number(match[2] ?? match[1]);
    const protocol = (match[3] ?? "tcp").toLowerCase();
    if (last < first || last > largestPort || !protocols.has(protocol)) return undefined;
    for (let port = first; port <= last; port++) ports.add(`${port}/${protocol}`);
  }
  return [...ports];
}
