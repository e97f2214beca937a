// Copyright: (c) 2026, Fleet contributors
// SPDX-License-Identifier: GPL-3.0-or-later
// The criteria box completes what is typed, and the navigation shows where one is. Everything else works without scripts, or is htmx's.
"use strict";

class Completion {
  // A combobox after https://www.w3.org/WAI/ARIA/apg/patterns/combobox/: the list comes from the server, the text from its data-insert.
  constructor(box) {
    this.box = box;
    this.list = document.getElementById(box.getAttribute("aria-controls"));
    this.asked = 0;
    box.addEventListener("input", () => this.ask());
    box.addEventListener("keydown", (event) => this.key(event));
    box.form.addEventListener("submit", () => this.close());
    box.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    this.list.addEventListener("mousedown", (event) => {
      const option = event.target.closest("[role=option]");
      if (option) {
        event.preventDefault();
        this.take(option);
      }
    });
  }

  get options() {
    return [...this.list.querySelectorAll("[role=option]")];
  }

  get selected() {
    return this.list.querySelector("[aria-selected=true]");
  }

  async ask() {
    const number = ++this.asked;
    await new Promise((wait) => setTimeout(wait, 120));
    if (number !== this.asked) return;
    const query = new URLSearchParams({ q: this.box.value, at: this.box.selectionStart });
    try {
      const answer = await fetch(`${this.box.dataset.complete}?${query}`, { headers: { "HX-Request": "true" } });
      if (number !== this.asked || !answer.ok) return;
      this.list.innerHTML = (await answer.text()).trim();
    } catch {
      return; // The box is a box without its list.
    }
    this.box.setAttribute("aria-expanded", String(this.options.length > 0));
    this.box.removeAttribute("aria-activedescendant");
  }

  key(event) {
    const options = this.options;
    if (event.key === " " && event.ctrlKey) {
      event.preventDefault();
      this.ask();
    } else if (!options.length) {
      return;
    } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      const now = options.indexOf(this.selected);
      this.select(options[now < 0 ? (step > 0 ? 0 : options.length - 1) : (now + step + options.length) % options.length]);
    } else if (event.key === "Enter" && this.selected) {
      event.preventDefault();
      this.take(this.selected);
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.close();
    }
  }

  select(option) {
    this.selected?.setAttribute("aria-selected", "false");
    option.setAttribute("aria-selected", "true");
    option.scrollIntoView({ block: "nearest" });
    this.box.setAttribute("aria-activedescendant", option.id);
  }

  take(option) {
    const from = Number(option.dataset.from);
    const rest = this.box.value.slice(this.box.selectionStart);
    const before = this.box.value.slice(0, from) + option.dataset.insert;
    this.box.value = before + rest;
    this.box.setSelectionRange(before.length, before.length);
    this.box.focus();
    this.close();
    this.ask();
  }

  close() {
    this.asked++;
    this.list.replaceChildren();
    this.box.setAttribute("aria-expanded", "false");
    this.box.removeAttribute("aria-activedescendant");
  }
}

for (const box of document.querySelectorAll("[data-complete]")) new Completion(box);

// On narrow screens the navigation is one line that scrolls: where one is should be in sight.
for (const place of document.querySelectorAll("nav [aria-current]")) {
  const line = place.closest("ul");
  const frame = line?.closest("nav");
  for (const each of [line, frame]) if (each && each.scrollWidth > each.clientWidth) each.scrollLeft = place.offsetLeft - each.clientWidth / 3;
}
