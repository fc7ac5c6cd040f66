"use strict";
// What is read: the open document, the chosen relation, and the lists of what
// passes the filters.
{
  const { Rows, make, number, plural, NOVELTY, MARKS, MARK_NAMES } = novelink;
  const { drawText, drawGraph, drawDetails, drawAdd, together } = novelink;
  const $ = (id) => document.getElementById(id);

  class Reading {
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
      row.append(cell("first clip", end(relation.first)), cell("type clip", model.said(relation)),
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
      if (!relation) return;
      // On a phone all stands in one column: there the quoted evidence is nearer than the text.
      if (getComputedStyle($("reader")).overflowY === "visible") $("details").scrollIntoView({ block: "nearest" });
      else ($("text").querySelector(".ev") ?? $("text").querySelector(".first"))?.scrollIntoView({ block: "center" });
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
  }

  novelink.Reading = Reading;
}
