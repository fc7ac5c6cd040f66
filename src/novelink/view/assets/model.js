"use strict";
// The page's data with what filtering needs worked out once. Filtering 20,000
// relations must fit a frame, so every test on a relation is a number compare.
globalThis.novelink = {};
{
  const NOVELTY = ["not stated", "known", "novel"];
  const CODES = [null, "No", "Novel"];
  const STATES = ["open", "accept", "reject", "correct", "add"];
  const MARKS = ["", "✓", "✗", "✎", "+"];
  const MARK_NAMES = ["undecided", "accepted", "rejected", "corrected", "added"];

  /** "Positive_Correlation" as people write it. */
  const words = (name) => name.replaceAll("_", " ").replace(/(?<= )[A-Z](?=[a-z])/g, (c) => c.toLowerCase());

  class Model {
    constructor(data) {
      this.title = data.title;
      this.key = data.key;
      this.generator = data.generator;
      this.hasNovelty = data.schema.novelty;
      this.entityTypes = data.schema.entityTypes.map(([name, short, letter, colour]) => ({ name, short, letter, colour }));
      this.relationTypes = data.schema.relationTypes.map((name) => ({ name, short: words(name) }));
      this.pairs = new Map(data.schema.pairs.map(([a, b, relations]) => [pairKey(a, b), relations]));
      this.entities = data.entities.map(([id, type, url, database], index) => ({ index, id, type, url, database, found: id.toLowerCase() }));
      this.relations = [];
      this.documents = data.documents.map((raw, index) => this.document(raw, index));
      this.byId = new Map(this.documents.map((doc) => [doc.id, doc]));
    }

    /** One document with its entities named as this document names them. */
    document(raw, index) {
      const doc = { index, id: raw.id, url: raw.url, database: raw.db, passages: raw.passages, sentences: raw.sentences, entities: new Map(), relations: [] };
      const whole = raw.passages.map(([offset, , text]) => ({ offset, text }));
      doc.length = whole.length ? whole.at(-1).offset + whole.at(-1).text.length : 0;
      doc.title = (raw.passages.find(([, type]) => type === "title") ?? raw.passages[0] ?? [0, "", ""])[2].slice(0, 300) || `(${raw.id})`;
      doc.mentions = raw.mentions.map(([start, end, type, entities, spans]) => {
        const text = slice(whole, start, end);
        for (const entity of entities) {
          let here = doc.entities.get(entity);
          if (!here) doc.entities.set(entity, here = { name: text, most: 0, mentions: 0, counts: new Map() });
          here.mentions += 1;
          const count = (here.counts.get(text) ?? 0) + 1;
          here.counts.set(text, count);
          if (count > here.most) { here.most = count; here.name = text; }
        }
        return { start, end, type, entities, spans: spans ?? [[start, end]] };
      });
      for (const [entity, { counts }] of doc.entities) {
        const target = this.entities[entity];
        target.name ??= doc.entities.get(entity).name;
        // Every way it is written can be searched for.
        for (const name of counts.keys()) {
          const lower = name.toLowerCase();
          if (!target.found.includes(lower)) target.found += `\n${lower}`;
        }
      }
      for (const [first, second, type, novelty, score, noveltyScore, subject, evidence] of raw.relations) {
        this.append(doc, { first, second, type, novelty, score, noveltyScore, subject, evidence, added: false });
      }
      return doc;
    }

    append(doc, relation) {
      for (const end of [relation.first, relation.second]) {
        this.entities[end].name ??= this.entities[end].id;
        if (!doc.entities.has(end)) doc.entities.set(end, { name: this.entities[end].id, mentions: 0 });
      }
      relation.doc = doc;
      relation.index = this.relations.length;
      relation.key = relationKey(doc.id, this.entities[relation.first].id, this.entities[relation.second].id,
        relation.added ? "" : this.relationTypes[relation.type].name);
      relation.state = relation.added ? 4 : 0;
      relation.decision = null;
      this.relations.push(relation);
      doc.relations.push(relation);
      return relation;
    }

    /** Take a relation that a person added out again. */
    remove(relation) {
      this.relations.splice(relation.index, 1);
      this.relations.forEach((other, index) => { other.index = index; });
      relation.doc.relations.splice(relation.doc.relations.indexOf(relation), 1);
    }

    name(relation, end) { return relation.doc.entities.get(end).name; }

    /** Type and novelty as decided, else as read. */
    shownType(relation) { return this.typeIndex(relation.decision?.type) ?? relation.type; }
    shownNovelty(relation) {
      return relation.state === 3 ? CODES.indexOf(relation.decision.novelty ?? null) : relation.novelty;
    }
    /** The type as shown, with an arrow at the side of the entity that is acted on, where that is known. */
    said(relation) {
      const { short } = this.relationTypes[this.shownType(relation)];
      if (relation.subject < 0 || relation.first === relation.second) return short;
      if (relation.subject === relation.first) return `${short} →`;
      return relation.subject === relation.second ? `← ${short}` : short;
    }
    typeIndex(name) {
      if (name == null) return undefined;
      const found = this.relationTypes.findIndex((type) => type.name === name);
      return found < 0 ? undefined : found;
    }

    /** Relation types a pair takes, the usual ones first. */
    typesFor(first, second) {
      const usual = this.pairs.get(pairKey(this.entities[first].type, this.entities[second].type)) ?? [];
      return usual.length ? usual : this.relationTypes.map((_, index) => index);
    }

    /**
     * Relations that pass, and for each facet how many would pass if that facet let all through.
     * filter: {types, novelty, states: Uint8Array of 0/1; kinds: same, by entity type; low, high; query}
     */
    filter({ types, novelty, states, kinds, low, high, query }) {
      const hit = this.matching(query);
      const passed = [];
      const counts = {
        types: new Uint32Array(types.length), novelty: new Uint32Array(3),
        states: new Uint32Array(STATES.length), kinds: new Uint32Array(kinds.length),
      };
      const scored = low > 0 || high < 1;
      for (const relation of this.relations) {
        if (hit !== null && !hit[relation.first] && !hit[relation.second]) continue;
        // Without a score a relation passes only while the score does not matter.
        if (scored && !(relation.score >= low && relation.score <= high && relation.score !== null)) continue;
        const type = this.shownType(relation), known = this.shownNovelty(relation);
        const a = this.entities[relation.first].type, b = this.entities[relation.second].type;
        const fails = [!types[type], !novelty[known], !states[relation.state], !((kinds[a] ?? 1) && (kinds[b] ?? 1))];
        const failed = fails[0] + fails[1] + fails[2] + fails[3];
        if (failed > 1) continue;
        if (!failed || fails[0]) counts.types[type] += 1;
        if (!failed || fails[1]) counts.novelty[known] += 1;
        if (!failed || fails[2]) counts.states[relation.state] += 1;
        // A pair of unlike kinds counts for both, when these alone shut it out for neither.
        if (!failed || fails[3]) { if (a >= 0) counts.kinds[a] += 1; if (b >= 0 && b !== a) counts.kinds[b] += 1; }
        if (!failed) passed.push(relation);
      }
      return { passed, counts };
    }

    /** Entities whose id or one of whose names holds the words; null for all. */
    matching(query) {
      const wanted = query.trim().toLowerCase();
      if (!wanted) return null;
      const hit = new Uint8Array(this.entities.length);
      for (const entity of this.entities) if (entity.found.includes(wanted)) hit[entity.index] = 1;
      return hit;
    }
  }

  /** What identifies a relation for decisions; the order of its ids means nothing. */
  const relationKey = (doc, a, b, predicted) => (a <= b ? `${doc}\n${a}\n${b}\n${predicted}` : `${doc}\n${b}\n${a}\n${predicted}`);

  const pairKey = (a, b) => (a <= b ? `${a}-${b}` : `${b}-${a}`);

  /** Text between two positions of a document that has gaps between passages. */
  function slice(passages, start, end) {
    for (const { offset, text } of passages) {
      if (start >= offset && start < offset + text.length) return text.slice(start - offset, end - offset);
    }
    return "";
  }

  /** An element with attributes, listeners ("onclick") and children; text is never taken for HTML. */
  function make(tag, attributes = {}, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (value === null || value === undefined || value === false) continue;
      if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
      else element.setAttribute(name, value === true ? "" : value);
    }
    element.append(...children.filter((child) => child !== null && child !== undefined));
    return element;
  }

  const number = (value) => value.toLocaleString("en");
  const plural = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

  Object.assign(novelink, { Model, relationKey, make, number, plural, NOVELTY, CODES, STATES, MARKS, MARK_NAMES });
}
