"use strict";
// What a person decided. A page on disk keeps it in the browser and in a file to
// download; a server keeps it in its database (see intake.js, which brings another keeper).
{
  const { CODES, STATES, relationKey } = novelink;

  /** Keeps decisions in the browser, under the page's own key. */
  class BrowserKeeper {
    constructor(key) { this.key = `novelink:${key}`; }
    get place() { return "They are kept in this browser. Download them to keep them for good, or to hand them on."; }
    async load() {
      try { return JSON.parse(localStorage.getItem(this.key) ?? "[]"); } catch { return []; }
    }
    async put(_, all) { this.write(all); }
    async remove(_, all) { this.write(all); }
    write(all) {
      try { localStorage.setItem(this.key, JSON.stringify(all)); } catch {
        throw new Error("This browser keeps nothing for pages on disk: download the decisions before closing.");
      }
    }
  }

  class Decisions {
    constructor(model, keeper, complain) {
      this.model = model;
      this.keeper = keeper;
      this.complain = complain;
      this.records = new Map();
      this.byKey = new Map(model.relations.map((relation) => [relation.key, relation]));
      this.strays = [];
    }

    get curator() { try { return localStorage.getItem("novelink:curator") ?? ""; } catch { return ""; } }
    set curator(name) { try { localStorage.setItem("novelink:curator", name); } catch { /* not kept then */ } }

    all() { return [...[...this.records.values()], ...this.strays]; }

    /** Take records in; later ones win. Returns how many name no relation of this page. */
    take(records) {
      let strays = 0;
      for (const record of records) {
        if (this.apply(record) === null) { this.strays.push(record); strays += 1; }
      }
      return strays;
    }

    apply(record) {
      const action = STATES.indexOf(record.action);
      const doc = this.model.byId.get(record.document);
      if (action < 1 || !doc) return null;
      const key = keyOf(record);
      let relation = this.byKey.get(key);
      if (!relation && record.action === "add") relation = this.append(doc, record);
      if (!relation) return null;
      relation.state = action;
      relation.decision = record;
      if (relation.added) {
        relation.type = this.model.typeIndex(record.type);
        relation.novelty = Math.max(0, CODES.indexOf(record.novelty ?? null));
      }
      this.records.set(key, record);
      return relation;
    }

    append(doc, record) {
      const ends = [record.id1, record.id2].map((id) => [...doc.entities.keys()].find((index) => this.model.entities[index].id === id));
      const type = this.model.typeIndex(record.type);
      if (ends.includes(undefined) || type === undefined) return null;
      const relation = this.model.append(doc, {
        first: ends[0], second: ends[1], type, novelty: Math.max(0, CODES.indexOf(record.novelty ?? null)),
        score: null, noveltyScore: null, subject: -1, evidence: [], added: true,
      });
      this.byKey.set(relation.key, relation);
      return relation;
    }

    /** Decide on a relation. For "correct" and "add" type and novelty are what is right. */
    async decide(relation, action, type = null, novelty = null) {
      const { model } = this;
      await this.store({
        document: relation.doc.id,
        id1: model.entities[relation.first].id,
        id2: model.entities[relation.second].id,
        predicted: relation.added ? null : model.relationTypes[relation.type].name,
        predicted_novelty: relation.added ? null : CODES[relation.novelty],
        score: relation.score,
        action, type, novelty,
        curator: this.curator || null,
        time: new Date().toISOString(),
      });
    }

    async add(doc, id1, id2, type, novelty) {
      return this.store({
        document: doc.id, id1, id2, predicted: null, predicted_novelty: null, score: null,
        action: "add", type, novelty, curator: this.curator || null, time: new Date().toISOString(),
      });
    }

    async store(record) {
      const relation = this.apply(record);
      await this.keep(() => this.keeper.put(record, this.all()));
      return relation;
    }

    async undo(relation) {
      const record = this.records.get(relation.key);
      if (!record) return;
      this.records.delete(relation.key);
      relation.state = 0;
      relation.decision = null;
      if (relation.added) { this.byKey.delete(relation.key); this.model.remove(relation); }
      await this.keep(() => this.keeper.remove(record, this.all()));
    }

    async forget() {
      for (const key of [...this.records.keys()]) await this.undo(this.byKey.get(key));
      this.strays = [];
      await this.keep(() => this.keeper.remove(null, []));
    }

    async keep(action) { try { await action(); } catch (error) { this.complain(error.message); } }

    file() {
      return { format: "novelink-decisions", version: 1, page: this.model.title, decisions: this.all() };
    }
  }

  const keyOf = (record) => relationKey(record.document, record.id1, record.id2, record.predicted ?? "");

  /** Hand a file to the browser to save. */
  function save(name, type, text) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(new Blob([text], { type }));
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
  }

  /** Decisions of a file, or an error that says what is wrong with it. */
  function parseDecisions(text) {
    let found;
    try { found = JSON.parse(text); } catch { throw new Error("This is not a JSON file."); }
    if (found?.format !== "novelink-decisions" || !Array.isArray(found.decisions)) {
      throw new Error("This file holds no decisions: choose one that was downloaded from such a page.");
    }
    return found.decisions;
  }

  Object.assign(novelink, { BrowserKeeper, Decisions, save, parseDecisions });
}
