"use strict";
// Puts the parts together: what is chosen, what passes the filters, what keys do.
{
  const { Model, Rows, Filters, BrowserKeeper, Decisions, make, number, plural, NOVELTY } = novelink;
  const { drawText, drawGraph, drawDetails, drawAdd, together, save, parseDecisions } = novelink;
  const $ = (id) => document.getElementById(id);
  const MARKS = ["", "✓", "✗", "✎", "+"];
  const MARK_NAMES = ["undecided", "accepted", "rejected", "corrected", "added"];

  class App {
    constructor() {
      this.doc = null;
      this.relation = null;
      this.scope = "document";
      this.order = { by: null, down: false };
      this.documentRows = new Rows($("documents"), {
        role: "listbox", label: "Documents", height: 52, empty: "No document passes.",
        draw: (doc, row) => this.drawDocumentRow(doc, row), choose: (doc) => this.openDocument(doc),
      });
      this.relationRows = new Rows($("table"), {
        role: "grid", label: "Relations", height: 38, head: this.head(), empty: "No relation passes the filters.",
        draw: (relation, row) => this.drawRelationRow(relation, row), choose: (relation) => this.choose(relation),
      });
      this.bind();
    }

    /** Show the data of a page. */
    async open(data, keeper = new BrowserKeeper(data.key)) {
      this.model = new Model(data);
      this.drawnGraph = null;
      this.decisions = new Decisions(this.model, keeper, (text) => this.say(text));
      this.decisions.take(data.decisions);
      this.decisions.take(await keeper.load());
      $("title").textContent = this.model.title;
      document.title = this.model.title;
      $("generator").textContent = this.model.generator;
      this.filters = new Filters($("filters"), this.model, () => this.refilter());
      this.doc = null;
      this.relation = null;
      const wanted = new URLSearchParams(location.hash.slice(1));
      this.refilter();
      const doc = this.model.byId.get(wanted.get("document")) ?? this.shownDocuments[0] ?? this.model.documents[0];
      if (doc) this.openDocument(doc);
      else { $("text").replaceChildren(make("p", {}, "There is no document here.")); this.drawDetails(); }
      const relation = doc?.relations.find((other) => other.key === wanted.get("relation"));
      if (relation) this.choose(relation);
      // Where the work stands is readable from outside: tests and figures rely on it.
      performance.mark("novelink-ready");
      performance.measure("novelink-open", { start: 0, end: "novelink-ready" });
      document.documentElement.dataset.ready = "true";
    }

    bind() {
      for (const input of document.querySelectorAll("input[name=scope]")) {
        input.addEventListener("change", () => { this.scope = input.value; this.list(); });
      }
      $("clear-filters").addEventListener("click", (event) => { event.preventDefault(); this.filters.clear(); });
      $("only-matching").addEventListener("change", () => this.listDocuments());
      $("next-document").addEventListener("click", () => this.walkDocuments(1));
      $("previous-document").addEventListener("click", () => this.walkDocuments(-1));
      $("theme").addEventListener("click", () => this.turnTheme());
      $("show-help").addEventListener("click", () => $("help-dialog").showModal());
      $("show-decisions").addEventListener("click", () => this.showDecisions());
      for (const close of document.querySelectorAll("dialog .close")) close.addEventListener("click", () => close.closest("dialog").close());
      $("curator").addEventListener("change", () => { this.decisions.curator = $("curator").value.trim(); });
      $("download-decisions").addEventListener("click", () =>
        save("decisions.json", "application/json", `${JSON.stringify(this.decisions.file(), null, 1)}\n`));
      $("load-decisions").addEventListener("change", (event) => this.loadDecisions(event.target));
      $("forget-decisions").addEventListener("click", () => this.forget());
      addEventListener("keydown", (event) => this.key(event));
      addEventListener("beforeprint", () => this.print());
      addEventListener("afterprint", () => $("print").replaceChildren());
      try { const theme = localStorage.getItem("novelink:theme"); if (theme) document.documentElement.dataset.theme = theme; } catch { /* not kept then */ }
      if (matchMedia("(max-width: 1050px)").matches) $("filter-box").open = $("document-box").open = false;
    }

    // Filtering and lists

    refilter() {
      performance.mark("novelink-filter");
      const { passed, counts } = this.model.filter(this.filters);
      this.passed = passed;
      this.filters.count(counts);
      this.perDocument = new Uint32Array(this.model.documents.length);
      for (const relation of passed) this.perDocument[relation.doc.index] += 1;
      this.listDocuments();
      this.list();
      $("clear-filters").hidden = !this.filters.active;
      const shown = this.perDocument.reduce((sum, count) => sum + (count > 0), 0);
      const { documents, relations } = this.model;
      $("counts").textContent = this.filters.active
        ? `${number(passed.length)} of ${plural(relations.length, "relation")} in ${number(shown)} of ${plural(documents.length, "document")}`
        : `${plural(relations.length, "relation")} in ${plural(documents.length, "document")}`;
      performance.measure("novelink-filter", "novelink-filter");
    }

    listDocuments() {
      const all = this.model.documents;
      // Documents without any relation stay: leaving them out while nothing is filtered would hide them.
      const only = $("only-matching").checked && this.filters.active;
      this.shownDocuments = only ? all.filter((doc) => this.perDocument[doc.index] > 0) : all;
      $("document-count").textContent = number(this.shownDocuments.length);
      this.documentRows.show(this.shownDocuments, this.doc);
      this.drawPosition();
    }

    /** Relations of the open document that pass. */
    here() {
      if (!this.doc) return [];
      return this.perDocument[this.doc.index] ? this.passed.filter((relation) => relation.doc === this.doc) : [];
    }

    countHere(here = this.here()) { $("scope-document").textContent = number(here.length); }

    list() {
      const here = this.here();
      this.countHere(here);
      $("scope-all").textContent = number(this.passed.length);
      this.listed = this.sorted(this.scope === "all" ? this.passed : here);
      this.relationRows.show(this.listed, this.relation);
      this.drawGraph(here);
    }

    sorted(relations) {
      const { by, down } = this.order;
      if (!by) return relations;
      const { model } = this;
      const value = {
        first: (relation) => model.name(relation, relation.first).toLowerCase(),
        type: (relation) => model.shownType(relation),
        second: (relation) => model.name(relation, relation.second).toLowerCase(),
        novelty: (relation) => model.shownNovelty(relation),
        score: (relation) => relation.score ?? -1,
        state: (relation) => relation.state,
      }[by];
      const keyed = relations.map((relation) => [value(relation), relation]);
      const sign = down ? -1 : 1;
      keyed.sort(([a], [b]) => (a < b ? -sign : a > b ? sign : 0));
      return keyed.map(([, relation]) => relation);
    }

    head() {
      const columns = [["first", "Entity"], ["type", "Relation"], ["second", "Entity"], ["novelty", "Novelty"], ["score", "Score"], ["state", "✓"]];
      this.heads = new Map(columns.map(([by, name]) => {
        const text = name === "✓" ? [make("span", { "aria-hidden": "true" }, "✓"), make("span", { class: "hidden" }, "Decision")] : [name];
        return [by, make("div", { role: "columnheader", class: by, "aria-sort": "none" },
          make("button", { type: "button", title: "Sort", onclick: () => this.sortBy(by) }, ...text))];
      }));
      return make("div", { role: "row", class: "head", "aria-rowindex": "1" }, ...this.heads.values());
    }

    sortBy(by) {
      const falling = by === "score" || by === "novelty";
      if (this.order.by !== by) this.order = { by, down: falling };
      else if (this.order.down === falling) this.order.down = !falling;
      else this.order = { by: null, down: false };
      for (const [name, head] of this.heads) {
        head.setAttribute("aria-sort", name !== this.order.by ? "none" : this.order.down ? "descending" : "ascending");
      }
      this.list();
    }

    drawDocumentRow(doc, row) {
      const decided = doc.relations.filter((relation) => relation.state > 0).length;
      const done = doc.relations.length > 0 && decided === doc.relations.length;
      row.append(make("span", { class: "clip", dir: "auto" }, doc.title),
        done ? make("span", { class: "done", title: "all decided" }, "✓", make("span", { class: "hidden" }, " all decided")) : "",
        make("span", { class: "badge", title: "relations that pass" }, number(this.perDocument[doc.index]), make("span", { class: "hidden" }, " relations")));
    }

    drawRelationRow(relation, row) {
      const { model } = this;
      const cell = (name, ...content) => make("div", { role: "gridcell", class: name }, ...content);
      const end = (entity) => {
        const type = model.entityTypes[model.entities[entity].type];
        return make("span", { class: "chip", "data-c": type?.colour ?? 7, title: `${type?.short ?? "not mentioned"} ${model.entities[entity].id}` }, model.name(relation, entity));
      };
      const novelty = model.shownNovelty(relation);
      if (relation.state === 2) row.classList.add("rejected");
      const score = cell("score", relation.score === null ? "–" : relation.score.toFixed(2));
      if (relation.score !== null) { const bar = make("i"); bar.style.width = `${relation.score * 100}%`; score.append(bar); }
      row.append(cell("first clip", end(relation.first)), cell("type clip", model.relationTypes[model.shownType(relation)].short),
        cell("second clip", end(relation.second)), cell(`novelty${novelty === 2 ? " novel" : ""}`, novelty ? NOVELTY[novelty] : "–"), score,
        cell(`state state-${["open", "accept", "reject", "correct", "add"][relation.state]}`,
          make("span", { "aria-hidden": "true" }, MARKS[relation.state]), make("span", { class: "hidden" }, MARK_NAMES[relation.state])));
    }

    // Choosing

    openDocument(doc, relation = null) {
      const fresh = this.doc !== doc;
      this.doc = doc;
      if (fresh) this.relation = relation;
      this.documentRows.mark(doc);
      this.drawPosition();
      drawAdd($("add-form"), this.model, doc, (...values) => this.add(...values));
      this.drawLegend();
      this.draw();
      if (fresh) { $("reader").scrollTop = 0; if (this.scope === "document") $("table").scrollTop = 0; }
      // The list of all documents stays as it is, only another row is chosen.
      if (this.scope === "document") this.list();
      else { this.relationRows.mark(this.relation); this.countHere(); this.drawGraph(); }
      this.remember();
    }

    choose(relation) {
      this.relation = relation;
      if (relation && relation.doc !== this.doc) this.openDocument(relation.doc, relation);
      else { this.draw(); this.relationRows.mark(relation); this.drawGraph(); this.remember(); }
      const first = $("text").querySelector(".ev") ?? $("text").querySelector(".first");
      first?.scrollIntoView({ block: "center" });
    }

    /** Evidence of the chosen relation; where none is given, sentences that name both. */
    sentences() {
      if (!this.relation) return [];
      return this.relation.evidence.length ? this.relation.evidence : together(this.doc, this.relation.first, this.relation.second);
    }

    draw() {
      const sentences = this.sentences();
      drawText($("text"), this.model, this.doc, this.relation, sentences, (entity) => this.pickEntity(entity));
      this.drawDetails(sentences);
    }

    drawDetails(sentences = this.sentences()) {
      drawDetails($("details"), this.model, this.relation, sentences, {
        accept: () => this.decide("accept"), reject: () => this.decide("reject"),
        correct: (type, novelty) => this.correct(type, novelty), undo: () => this.undo(), next: () => this.nextOpen(),
      });
    }

    drawGraph(here = this.here()) {
      if (!$("graph-box").open || !this.doc) return;
      // Most changes of a filter leave the open document as it was.
      const drawn = JSON.stringify([this.doc.id, this.relation?.key, here.map((relation) => [relation.key, relation.state, relation.decision?.type, relation.decision?.novelty]), $("graph").clientWidth]);
      if (drawn === this.drawnGraph) return;
      this.drawnGraph = drawn;
      drawGraph($("graph"), this.model, this.doc, here, this.relation, (relation) => this.choose(relation), (entity) => this.pickEntity(entity));
    }

    drawLegend() {
      const counts = new Map();
      for (const { type } of this.doc.mentions) counts.set(type, (counts.get(type) ?? 0) + 1);
      $("legend").replaceChildren(...[...counts].map(([index, count]) => {
        const type = this.model.entityTypes[index];
        return make("span", {}, make("span", { class: "m", "data-c": type.colour, "data-l": type.letter }, type.short), ` ${count}`);
      }));
    }

    drawPosition() {
      const place = this.shownDocuments.indexOf(this.doc);
      $("position").textContent = place < 0 ? "" : `${number(place + 1)} of ${number(this.shownDocuments.length)}`;
      $("previous-document").disabled = place === 0 || !this.shownDocuments.length;
      $("next-document").disabled = place === this.shownDocuments.length - 1;
      const { doc } = this;
      if (!doc) return;
      $("document-link").replaceChildren(doc.url
        ? make("a", { href: doc.url, target: "_blank", rel: "noopener noreferrer" }, `${doc.database} ${doc.id}`) : doc.id);
    }

    pickEntity(entity) {
      this.filters.ask(this.filters.query === this.model.entities[entity].id ? "" : this.model.entities[entity].id);
    }

    walkDocuments(step) {
      const place = this.shownDocuments.indexOf(this.doc);
      const next = this.shownDocuments[place < 0 ? 0 : place + step];
      if (next) this.openDocument(next);
    }

    /** The address names what is open, so that it can be kept and sent on. */
    remember() {
      const place = new URLSearchParams(location.hash.slice(1));
      place.set("document", this.doc.id);
      if (this.relation) place.set("relation", this.relation.key); else place.delete("relation");
      try { history.replaceState(null, "", `#${place}`); } catch { /* some browsers refuse on disk */ }
    }

    // Deciding

    async decide(action) {
      if (!this.relation) { this.say("Choose a relation first."); return; }
      if (this.relation.added) { this.say("A person added this relation: take it out if it is wrong."); return; }
      const done = this.decisions.decide(this.relation, action, ...(action === "accept" ? this.predicted() : []));
      this.decided();
      await done;
    }

    predicted() {
      const { relation, model } = this;
      return [model.relationTypes[relation.type].name, novelink.CODES[relation.novelty]];
    }

    async correct(type, novelty) {
      const { relation } = this;
      const same = !relation.added && this.predicted().every((value, index) => value === [type, novelty][index]);
      const done = this.decisions.decide(relation, relation.added ? "add" : same ? "accept" : "correct", type, novelty);
      this.decided();
      await done;
    }

    async undo() {
      if (!this.relation?.state) return;
      const { relation } = this;
      const done = this.decisions.undo(relation);
      if (relation.added) this.relation = null;
      this.refilter();
      this.decided();
      await done;
    }

    async add(first, second, type, novelty) {
      const { doc, model } = this;
      if (first === second) { this.say("Choose two different entities."); return; }
      const there = doc.relations.find((relation) => (relation.first === first && relation.second === second) || (relation.first === second && relation.second === first));
      if (there) { this.say("These two are related already: correct that relation."); this.choose(there); return; }
      const relation = await this.decisions.add(doc, model.entities[first].id, model.entities[second].id, type, novelty);
      this.refilter();
      this.choose(relation);
      this.decided();
    }

    decided() {
      this.refilter();
      this.draw();
      $("decision-count").textContent = number(this.decisions.all().length);
    }

    /** The next relation without a decision: of this list, then of the documents after. */
    nextOpen() {
      const open = (relation) => relation.state === 0;
      const place = this.listed.indexOf(this.relation);
      const next = this.listed.slice(place + 1).find(open) ?? this.listed.find(open)
        ?? this.passed.find((relation) => open(relation) && relation.doc.index > this.doc.index) ?? this.passed.find(open);
      if (next) this.choose(next); else this.say("Every relation that passes the filters is decided.");
    }

    showDecisions() {
      const all = this.decisions.all(), counts = {};
      for (const { action } of all) counts[action] = (counts[action] ?? 0) + 1;
      const names = { accept: "accepted", reject: "rejected", correct: "corrected", add: "added" };
      const parts = Object.entries(names).filter(([action]) => counts[action]).map(([action, name]) => `${number(counts[action])} ${name}`);
      const open = this.model.relations.filter((relation) => relation.state === 0).length;
      const strays = this.decisions.strays.length;
      $("decisions-summary").textContent = `${parts.join(", ") || "Nothing decided yet"}; ${number(open)} undecided.${strays ? ` ${number(strays)} are on relations that this page does not have; they are kept.` : ""}`;
      $("decisions-kept").textContent = this.decisions.keeper.place;
      $("curator").value = this.decisions.curator;
      this.drawMore?.($("decisions-more"));
      if (!$("decisions-dialog").open) $("decisions-dialog").showModal();
    }

    async loadDecisions(input) {
      const [file] = input.files;
      if (!file) return;
      try {
        const records = parseDecisions(await file.text());
        const strays = this.decisions.take(records);
        for (const record of records) await this.decisions.keep(() => this.decisions.keeper.put(record, this.decisions.all()));
        this.decided();
        this.showDecisions();
        this.say(`${plural(records.length, "decision")} loaded${strays ? `, ${number(strays)} of them on relations that are not here` : ""}.`);
      } catch (error) { this.say(error.message); }
      input.value = "";
    }

    async forget() {
      if (!confirm("Forget all decisions on this page? Download them first if they are needed.")) return;
      await this.decisions.forget();
      this.relation = null;
      this.decided();
      this.showDecisions();
    }

    // Around it

    key(event) {
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
      const typing = event.target.closest?.("input:not([type=checkbox], [type=radio]), textarea, select");
      if (event.key === "Escape" && !typing && this.relation) { this.choose(null); return; }
      if (typing || !$("single-keys").checked || !this.model?.documents.length) return;
      const action = {
        j: () => this.relationRows.pick(this.relationRows.beside(1)), k: () => this.relationRows.pick(this.relationRows.beside(-1)),
        n: () => this.walkDocuments(1), p: () => this.walkDocuments(-1), a: () => this.decide("accept"), r: () => this.decide("reject"),
        c: () => $("correct-type")?.focus(), u: () => this.undo(), t: () => this.turnTheme(), "?": () => $("help-dialog").showModal(),
        "/": () => { $("filter-box").open = true; this.filters.box.focus(); },
      }[event.key];
      if (!action) return;
      event.preventDefault();
      action();
    }

    turnTheme() {
      const root = document.documentElement;
      const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
      root.dataset.theme = dark ? "light" : "dark";
      try { localStorage.setItem("novelink:theme", root.dataset.theme); } catch { /* not kept then */ }
    }

    /** A printed page has every relation of its document, not only the rows in sight. */
    print() {
      if (!this.doc) return;
      const { model } = this;
      const rows = this.here().map((relation) => make("tr", {},
        ...[model.name(relation, relation.first), model.relationTypes[model.shownType(relation)].short, model.name(relation, relation.second),
          NOVELTY[model.shownNovelty(relation)], relation.score?.toFixed(2) ?? "", MARK_NAMES[relation.state],
        ].map((text) => make("td", {}, text))));
      const head = make("tr", {}, ...["Entity", "Relation", "Entity", "Novelty", "Score", "Decision"].map((name) => make("th", { scope: "col" }, name)));
      $("print").replaceChildren(make("table", {}, make("thead", {}, head), make("tbody", {}, ...rows)));
    }

    say(text) {
      $("notice").textContent = text;
      clearTimeout(this.silence);
      this.silence = setTimeout(() => { $("notice").textContent = ""; }, 6000);
    }
  }

  novelink.App = App;
  const embedded = document.getElementById("data");
  if (embedded) {
    novelink.app = new App();
    novelink.app.open(JSON.parse(embedded.textContent)).then(() => {
      document.getElementById("decision-count").textContent = String(novelink.app.decisions.all().length);
    });
  }
}
