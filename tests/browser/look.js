// Copyright: (c) 2026, Fleet contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// What assistive technology would stumble over, by the rules that can be checked: WCAG 2.2 1.1.1, 1.3.1, 1.4.3, 2.4.2, 3.1.1, 4.1.2.
() => {
  const wrong = [];
  const say = (what, node) => wrong.push(`${what}: ${node.outerHTML.slice(0, 140)}`);
  const ids = new Set();
  for (const node of document.querySelectorAll("[id]")) { if (ids.has(node.id)) say("id twice", node); ids.add(node.id); }
  if (document.querySelectorAll("h1").length !== 1) wrong.push("not one h1");
  if (document.querySelectorAll("main").length !== 1) wrong.push("not one main");
  if (!document.title.trim() || !document.documentElement.lang) wrong.push("no title or language");
  for (const node of document.querySelectorAll("input:not([type=hidden]), select, textarea:not([hidden])"))
    if (!node.labels?.length && !node.getAttribute("aria-label")) say("no label", node);
  for (const node of document.querySelectorAll("a, button"))
    if (!node.textContent.trim() && !node.getAttribute("aria-label")) say("no name", node);
  for (const node of document.querySelectorAll("table")) {
    if (!node.caption) say("no caption", node);
    for (const cell of node.querySelectorAll("th")) if (!cell.scope) say("no scope", cell);
  }
  for (const node of document.querySelectorAll("svg"))
    if (node.getAttribute("aria-hidden") !== "true" && !(node.getAttribute("role") === "img" && node.getAttribute("aria-label"))) say("silent picture", node);
  for (const name of ["aria-labelledby", "aria-describedby", "aria-controls"])
    for (const node of document.querySelectorAll(`[${name}]`))
      for (const id of node.getAttribute(name).split(/\s+/)) if (!document.getElementById(id)) say(`${name} leads nowhere`, node);
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgba = (text) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = text; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = ([r, g, b]) => { const f = (c) => (c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b); };
  const ground = (node) => { for (; node; node = node.parentElement) { const c = rgba(getComputedStyle(node).backgroundColor); if (c[3] === 255) return c; } return [255, 255, 255, 255]; };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const seen = new Set();
  while (walker.nextNode()) {
    const node = walker.currentNode.parentElement;
    if (!walker.currentNode.textContent.trim() || seen.has(node) || node.closest("svg, .away, [hidden], option, script, textarea")) continue;
    seen.add(node);
    if (!node.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const a = light(rgba(getComputedStyle(node).color)), b = light(ground(node));
    const contrast = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (contrast < 4.5) say(`contrast ${contrast.toFixed(2)}`, node);
  }
  return [...new Set(wrong)];
}
