"use strict";
// What is done: opening a page, deciding, keys, printing.
{
  const { Model, Reading, Filters, BrowserKeeper, Decisions, make, number, plural, NOVELTY, MARK_NAMES } = novelink;
  const { save, parseDecisions } = novelink;
  const $ = (id) => document.getElementById(id);

  class App extends Reading {
    constructor() {
      super();
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
        ...[model.name(relation, relation.first), model.said(relation), model.name(relation, relation.second),
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
