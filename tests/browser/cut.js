// Copyright: (c) 2026, Fleet contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// Texts that do not fit: choices that are wider than their box, and words that run out of theirs.
() => {
  const wrong = [];
  const canvas = document.createElement("canvas").getContext("2d");
  for (const node of document.querySelectorAll("select:not([multiple])")) {
    if (!node.checkVisibility() || node.value) continue; // what was chosen stands beside the list as well
    canvas.font = getComputedStyle(node).font;
    const style = getComputedStyle(node);
    const room = node.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight) - 18; // the arrow
    if (canvas.measureText(node.selectedOptions[0]?.text ?? "").width > room) wrong.push(`cut off: ${node.name} ${node.selectedOptions[0].text}`);
  }
  for (const node of document.querySelectorAll("button, a.button, .badge, h1, h2, label, dt, .tile span, .chip")) {
    if (!node.checkVisibility() || node.closest(".away") || getComputedStyle(node).display === "inline") continue;
    if (node.scrollWidth > node.clientWidth + 1) wrong.push(`runs out: ${node.outerHTML.slice(0, 120)}`);
  }
  return wrong;
}
