"use strict";
// Long lists of which only the rows in sight exist. A row's height is fixed, so
// the place of each is known without drawing it.
{
  const { make } = novelink;
  const MARGIN = 8;

  class Rows {
    /**
     * box: element that scrolls. role: "listbox" or "grid". height: of a row, in px.
     * draw(item, row): fill a row. choose(item): called when a person chooses one.
     * head: header row of a grid.
     */
    constructor(box, { role, label, height, draw, choose, head = null, empty = "" }) {
      Object.assign(this, { box, height, draw, choose, role, empty });
      this.items = [];
      this.chosen = null;
      this.drawn = new Map();
      this.head = head;
      this.grid = role === "grid";
      this.body = make("div", { class: "body", role: this.grid ? "rowgroup" : "presentation" });
      this.nothing = make("p", { class: "empty", hidden: true }, empty);
      this.target = make("div", { role, "aria-label": label, tabindex: "0" });
      if (head) this.target.append(make("div", { role: "rowgroup", class: "head-group" }, head));
      this.target.append(this.body);
      box.append(this.target, this.nothing);
      box.addEventListener("scroll", () => this.render(), { passive: true });
      this.target.addEventListener("keydown", (event) => this.key(event));
      this.body.addEventListener("click", (event) => {
        const row = event.target.closest(".row");
        if (row) this.pick(this.items[Number(row.dataset.i)]);
      });
      new ResizeObserver(() => this.render()).observe(box);
    }

    /** Show these items; the one chosen is brought into sight. */
    show(items, chosen = this.chosen) {
      this.items = items;
      this.chosen = chosen;
      this.places = new Map(items.map((item, index) => [item, index]));
      this.body.style.height = `${items.length * this.height}px`;
      this.nothing.hidden = items.length > 0;
      // A listbox or grid without children would be reported as broken to a screen reader.
      this.target.hidden = items.length === 0;
      if (this.grid) this.target.setAttribute("aria-rowcount", items.length + 1);
      for (const row of this.drawn.values()) row.remove();
      this.drawn.clear();
      this.bringIntoSight();
      this.render();
    }

    /** Change what is chosen; rows in sight stay. */
    mark(item) {
      const before = this.places?.get(this.chosen);
      this.chosen = item;
      this.drawn.get(before)?.setAttribute("aria-selected", "false");
      this.bringIntoSight();
      this.drawn.get(this.places?.get(item))?.setAttribute("aria-selected", "true");
      this.render();
    }

    bringIntoSight() {
      const place = this.places?.get(this.chosen);
      if (place !== undefined) this.reveal(place);
    }

    reveal(place) {
      const top = place * this.height, head = this.head?.offsetHeight ?? 0;
      const { scrollTop, clientHeight } = this.box;
      if (top < scrollTop) this.box.scrollTop = top;
      else if (top + this.height + head > scrollTop + clientHeight) this.box.scrollTop = top + this.height + head - clientHeight;
    }

    render() {
      const { scrollTop, clientHeight } = this.box;
      const from = Math.max(0, Math.floor(scrollTop / this.height) - MARGIN);
      const to = Math.min(this.items.length, Math.ceil((scrollTop + clientHeight) / this.height) + MARGIN);
      for (const [index, row] of this.drawn) {
        if (index < from || index >= to) { row.remove(); this.drawn.delete(index); }
      }
      for (let index = from; index < to; index += 1) {
        if (!this.drawn.has(index)) this.drawn.set(index, this.row(index));
      }
      const place = this.places?.get(this.chosen);
      const active = place !== undefined && this.drawn.get(place);
      if (active) this.target.setAttribute("aria-activedescendant", active.id);
      else this.target.removeAttribute("aria-activedescendant");
    }

    row(index) {
      const item = this.items[index];
      const row = make("div", {
        class: "row", role: this.grid ? "row" : "option", id: `${this.box.id}-${index}`,
        "data-i": index, "aria-selected": item === this.chosen ? "true" : "false",
        ...(this.grid ? { "aria-rowindex": index + 2 } : { "aria-posinset": index + 1, "aria-setsize": this.items.length }),
      });
      row.style.top = `${index * this.height}px`;
      this.draw(item, row);
      this.body.append(row);
      return row;
    }

    pick(item) { if (item) this.choose(item); }

    /** The item some rows further, staying within the list. */
    beside(steps) {
      const place = this.places?.get(this.chosen);
      if (place === undefined) return this.items[steps > 0 ? 0 : this.items.length - 1];
      return this.items[Math.min(this.items.length - 1, Math.max(0, place + steps))];
    }

    key(event) {
      if (event.target !== this.target) return;
      const page = Math.max(1, Math.floor(this.box.clientHeight / this.height) - 1);
      const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity }[event.key];
      if (steps === undefined) return;
      event.preventDefault();
      const last = this.items.length - 1;
      this.pick(steps === -Infinity ? this.items[0] : steps === Infinity ? this.items[last] : this.beside(steps));
    }
  }

  novelink.Rows = Rows;
}
