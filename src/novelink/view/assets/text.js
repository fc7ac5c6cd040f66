"use strict";
// A document's text with its mentions. The text is cut at every border of a
// mention or evidence sentence, so that overlapping ones stay legible: the
// shortest mention colours the ground, those around it draw bars below.
{
  const { make } = novelink;

  /** Cut start–end at all borders. Calls each(from, to, mentions, evidence) in order. */
  function cut(doc, evidence, start, end, each) {
    const borders = new Map();
    const at = (place) => borders.get(place) ?? borders.set(place, { open: [], close: [], depth: 0 }).get(place);
    doc.mentions.forEach((mention, index) => {
      for (const [from, to] of mention.spans) {
        if (from < end && to > start) { at(Math.max(from, start)).open.push(index); at(Math.min(to, end)).close.push(index); }
      }
    });
    for (const [from, to] of evidence) {
      if (from < end && to > start) { at(Math.max(from, start)).depth += 1; at(Math.min(to, end)).depth -= 1; }
    }
    at(start); at(end);
    const places = [...borders.keys()].sort((a, b) => a - b);
    const length = (index) => doc.mentions[index].end - doc.mentions[index].start;
    let active = [], depth = 0;
    for (let i = 0; i + 1 < places.length; i += 1) {
      const { open, close, depth: change } = borders.get(places[i]);
      for (const index of close) active.splice(active.indexOf(index), 1);
      active = active.concat(open);
      depth += change;
      each(places[i], places[i + 1], [...active].sort((a, b) => length(b) - length(a) || a - b), depth > 0);
    }
  }

  /** Sentences in which two entities are mentioned together; for relations without evidence. */
  function together(doc, first, second) {
    const of = (entity) => doc.mentions.filter((mention) => mention.entities.includes(entity));
    const [firsts, seconds] = [of(first), of(second)];
    return doc.sentences.filter(([from, to]) => {
      const inside = (mention) => mention.start >= from && mention.end <= to;
      return firsts.some(inside) && seconds.some(inside);
    }).map(([from, to]) => [from, to, null]);
  }

  const textOf = (doc, from, to) =>
    doc.passages.map(([offset, , text]) => text.slice(Math.max(0, from - offset), Math.max(0, to - offset))).join(" ").trim();

  /**
   * Draw a document into an element.
   * relation: the chosen one or null; sentences: [from, to, weight] to mark;
   * pick(entity index): called when a person chooses a mention.
   */
  function drawText(target, model, doc, relation, sentences, pick) {
    target.replaceChildren();
    target.classList.toggle("chosen", relation !== null);
    let focusable = true;
    for (const [offset, type, text] of doc.passages) {
      if (!text) continue;
      const block = make(type === "title" ? "h2" : "p", { dir: "auto" });
      let sentence = null;
      cut(doc, sentences, offset, offset + text.length, (from, to, mentions, inEvidence) => {
        const content = text.slice(from - offset, to - offset);
        let node = document.createTextNode(content);
        if (mentions.length) {
          node = drawMention(model, doc, relation, mentions, content, to, focusable);
          focusable = false;
        }
        if (!inEvidence) sentence = null;
        else if (!sentence) block.append(sentence = make("mark", { class: "ev" }));
        (sentence ?? block).append(node);
      });
      target.append(block);
    }
    target.onclick = (event) => activate(event, doc, pick);
    target.onkeydown = (event) => {
      if (event.key === "Enter" || event.key === " ") { if (activate(event, doc, pick)) event.preventDefault(); }
      if (event.key === "ArrowRight" || event.key === "ArrowLeft") walk(event, target);
    };
  }

  function drawMention(model, doc, relation, mentions, content, to, focusable) {
    const top = doc.mentions[mentions.at(-1)];
    const type = model.entityTypes[top.type];
    const names = [...mentions].reverse().map((index) => {
      const mention = doc.mentions[index];
      const ids = mention.entities.map((entity) => model.entities[entity].id).join(", ") || "no id";
      return `${textOf(doc, mention.start, mention.end)}: ${model.entityTypes[mention.type].short}, ${ids}`;
    });
    const element = make("span", {
      class: "m", role: "button", tabindex: focusable ? "0" : "-1", "data-c": type.colour,
      "data-m": mentions.at(-1), "data-l": top.end === to ? type.letter : null,
      "aria-label": names[0].length > 200 ? content : `${content.trim() || content}, ${type.short}`, title: names.join("\n").slice(0, 600),
    }, content);
    mentions.slice(0, -1).reverse().slice(0, 2).forEach((index, depth) => {
      element.style.setProperty(`--bar${depth + 1}`, `var(--l${model.entityTypes[doc.mentions[index].type].colour})`);
    });
    if (relation) {
      const holds = (entity) => mentions.some((index) => doc.mentions[index].entities.includes(entity));
      if (holds(relation.first)) element.classList.add("first");
      if (holds(relation.second)) element.classList.add("second");
    }
    return element;
  }

  function activate(event, doc, pick) {
    const element = event.target.closest?.(".m");
    // Selecting text to copy it is not choosing a mention.
    if (!element || (event.type === "click" && String(getSelection())) ) return false;
    const [entity] = doc.mentions[Number(element.dataset.m)].entities;
    if (entity === undefined) return false;
    pick(entity);
    return true;
  }

  /** Left and right walk over the mentions; Tab enters and leaves them as one. */
  function walk(event, target) {
    const all = [...target.querySelectorAll(".m")];
    const next = all[all.indexOf(event.target) + (event.key === "ArrowRight" ? 1 : -1)];
    if (!next || !event.target.classList.contains("m")) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  }

  Object.assign(novelink, { drawText, together, textOf });
}
