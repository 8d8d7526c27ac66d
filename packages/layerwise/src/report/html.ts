// SPDX-License-Identifier: Apache-2.0

/** Text that is safe to put into a page as it is. */
export interface Html {
  readonly markup: string;
}

/** What may stand in a template: text is escaped, markup and lists of it are not, undefined is nothing. */
export type HtmlValue = string | number | Html | readonly Html[] | undefined;

/** Markup from a template literal; whatever is put into it is escaped unless it is markup itself. */
export function html(strings: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let markup = strings[0] ?? "";
  for (const [index, value] of values.entries()) markup += markupOf(value) + (strings[index + 1] ?? "");
  return { markup };
}

function markupOf(value: HtmlValue): string {
  if (value === undefined) return "";
  if (typeof value === "object") return "markup" in value ? value.markup : value.map(({ markup }) => markup).join("");
  return escapeText(String(value));
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text for elements and quoted attributes. Bytes of file names that are no UTF-8 show as the replacement character. */
function escapeText(text: string): string {
  return text.replace(/\p{Surrogate}/gu, "\ufffd").replace(/[&<>"']/g, (character) => entities[character] as string);
}

/** A section of a page. */
export interface Section {
  /** Names it in links; lower case, no spaces. */
  readonly id: string;
  readonly title: string;
  readonly body: Html;
}

/**
 * A whole page in one file: no script, nothing from the network, readable in the dark, on a phone, by keyboard and on
 * paper.
 */
export function renderPage({
  title,
  lead,
  sections,
}: {
  title: string;
  lead: Html;
  sections: readonly Section[];
}): string {
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<link rel="icon" href="data:,">
<title>${title}</title>
<style>${{ markup: style }}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<header>
<h1>${title}</h1>
${lead}
</header>
<nav aria-label="Sections"><ul>${sections.map(({ id, title: name }) => html`<li><a href="#${id}">${name}</a></li>`)}</ul></nav>
<main id="main">
${sections.map(({ id, title: name, body }) => html`<section aria-labelledby="${id}"><h2 id="${id}">${name}</h2>\n${body}</section>\n`)}</main>
</body>
</html>
`;
  return page.markup;
}

/** A table that scrolls by itself where it is too wide. */
export function table(
  caption: string,
  {
    head,
    rows,
    numbers = [],
  }: { head: readonly string[]; rows: readonly (readonly HtmlValue[])[]; numbers?: readonly number[] },
): Html {
  const kind = (column: number) => (numbers.includes(column) ? "number" : "text");
  return scrolling(
    caption,
    html`<table><caption>${caption}</caption>
<thead><tr>${head.map((name, column) => html`<th scope="col" class="${kind(column)}">${name}</th>`)}</tr></thead>
<tbody>${rows.map((row) => html`<tr>${row.map((cell, column) => html`<td class="${kind(column)}">${cell}</td>`)}</tr>\n`)}</tbody></table>`,
  );
}

/** Something wide, which the keyboard can scroll too. */
export function scrolling(label: string, body: Html): Html {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${label}">${body}</div>`;
}

/** Figures side by side. */
export function figures(
  list: readonly { readonly name: string; readonly value: string; readonly note?: string }[],
): Html {
  return html`<dl class="figures">${list.map(({ name, value, note }) => html`<div><dt>${name}</dt><dd>${value}${note === undefined ? "" : html`<small>${note}</small>`}</dd></div>`)}</dl>`;
}

const style = `
:root{--paper:#fff;--ink:#1b1f24;--quiet:#57606a;--line:#d0d7de;--soft:#f3f5f7;--link:#0a58ca;--made:#b3400e;--followed:#7a5c00;--reused:#1a7f37;--waited:#6e7781}
@media (prefers-color-scheme:dark){:root{--paper:#0f1318;--ink:#e6e9ed;--quiet:#a4adb8;--line:#39424c;--soft:#1a2027;--link:#7db4ff;--made:#ff9a66;--followed:#e0c063;--reused:#6fd08c;--waited:#98a2ad}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:76rem;padding:1rem 1.25rem 3rem;background:var(--paper);color:var(--ink);font:1rem/1.5 system-ui,sans-serif}
h1{font-size:1.6rem;line-height:1.25;margin:.5rem 0;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:2rem 0 .5rem;scroll-margin-top:1rem}
h3{font-size:1rem;margin:1.25rem 0 .25rem}
p,ul{margin:.5rem 0}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-100rem}.skip:focus{position:static}
nav ul{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;padding:.5rem 0;border-block:1px solid var(--line)}
code,td.code{font:.875rem/1.5 ui-monospace,monospace;overflow-wrap:anywhere}
.scroll{overflow-x:auto;margin:.75rem 0}
table{border-collapse:collapse;width:100%;font-size:.9375rem}
caption{text-align:start;color:var(--quiet);padding:.25rem 0}
th,td{padding:.3rem .75rem .3rem 0;border-bottom:1px solid var(--line);text-align:start;vertical-align:top}
th{font-weight:600;white-space:nowrap}
.number{text-align:end;font-variant-numeric:tabular-nums;white-space:nowrap}
.figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.75rem;margin:1rem 0}
.figures div{background:var(--soft);border:1px solid var(--line);border-radius:.4rem;padding:.6rem .8rem}
.figures dt{color:var(--quiet);font-size:.875rem}
.figures dd{margin:0;font-size:1.35rem;font-weight:600;overflow-wrap:anywhere}
.figures small{display:block;font-size:.8125rem;font-weight:400;color:var(--quiet)}
.made{color:var(--made)}.followed{color:var(--followed)}.reused{color:var(--reused)}
svg{display:block;max-width:none}
svg text{fill:var(--ink);font:12px ui-monospace,monospace}
svg .quiet{fill:var(--quiet)}
svg .made{fill:var(--made)}svg .followed{fill:var(--followed)}svg .reused{fill:var(--reused)}svg .waited{fill:var(--waited)}svg .grid{stroke:var(--line)}
.legend{display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;list-style:none;padding:0;color:var(--quiet);font-size:.875rem}
.legend svg{display:inline-block;vertical-align:-2px}
.remark{border-inline-start:4px solid var(--followed);padding-inline-start:.75rem}
.bars{margin:.75rem 0;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.bar{display:grid;grid-template-columns:minmax(0,22rem) minmax(0,1fr);gap:0 1rem;align-items:center;padding:.1rem 0}
.bar .label{font:.8125rem/1.4 ui-monospace,monospace;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.track{display:block;position:relative;height:1.1rem;background:repeating-linear-gradient(to right,var(--line) 0 1px,transparent 1px 25%)}
.axis .track{display:grid;grid-template-columns:repeat(4,1fr);background:none;color:var(--quiet);font-size:.75rem}
.track i{position:absolute;min-width:3px;top:50%;transform:translateY(-50%);background:var(--waited);height:.5rem}
.track i.made{background:var(--made);height:.9rem}.track i.reused{background:var(--reused);height:.25rem}
details summary{cursor:pointer;padding:.25rem 0}
@media (max-width:40rem){.bar{grid-template-columns:minmax(0,1fr)}body{padding:.75rem .75rem 2rem}th,td{padding-inline-end:.5rem}}
@media print{:root{--paper:#fff;--ink:#000;--quiet:#444;--line:#bbb;--soft:#fff;--link:#000;--made:#8a2f08;--followed:#6b5200;--reused:#14662c;--waited:#555}nav,.skip{display:none}body{max-width:none;padding:0;font-size:10pt}.scroll{overflow:visible}.scroll>svg{width:100%;height:auto}section{break-inside:auto}h2{break-after:avoid}tr{break-inside:avoid}}
`;
