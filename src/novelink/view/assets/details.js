"use strict";
// The chosen relation: its entities with links, its evidence, and the decision on it.
{
  const { make, textOf, NOVELTY, CODES } = novelink;

  function link(entity) {
    if (!entity.url) return make("span", {}, entity.id);
    return make("a", { href: entity.url, target: "_blank", rel: "noopener noreferrer" }, `${entity.database} ${entity.id}`);
  }

  const percent = (value) => (value === null ? "no score" : value.toFixed(2));

  /** act: {accept, reject, correct(type, novelty), undo, next} */
  function drawDetails(target, model, relation, sentences, act) {
    // The same relation drawn anew must not throw a keyboard user out of the panel.
    const held = target.contains(document.activeElement) ? document.activeElement.id : "";
    target.replaceChildren();
    if (!relation) { target.append(make("p", { class: "empty" }, "Choose a relation to see where the text says it.")); return; }
    const [first, second] = [relation.first, relation.second].map((end) => model.entities[end]);
    const names = [model.name(relation, relation.first), model.name(relation, relation.second)];
    target.append(
      make("h2", {}, `${names[0]} – ${model.said(relation)} – ${names[1]}`),
      make("dl", {},
        make("dt", {}, model.entityTypes[first.type]?.short ?? "Not mentioned"), make("dd", {}, `${names[0]} · `, link(first)),
        make("dt", {}, model.entityTypes[second.type]?.short ?? "Not mentioned"), make("dd", {}, `${names[1]} · `, link(second)),
        make("dt", {}, "Score"), make("dd", {}, relation.added ? "added by a person" : percent(relation.score)),
        ...(model.hasNovelty ? [make("dt", {}, "Novelty"), make("dd", {}, NOVELTY[model.shownNovelty(relation)] + (relation.noveltyScore === null ? "" : ` (${percent(relation.noveltyScore)})`))] : []),
        ...(relation.subject >= 0 ? [make("dt", {}, "Subject"), make("dd", {}, relation.doc.entities.get(relation.subject)?.name ?? model.entities[relation.subject].id)] : []),
      ),
      decide(model, relation, act),
      ...evidence(relation, sentences),
    );
    if (held) document.getElementById(held)?.focus();
  }

  function evidence(relation, sentences) {
    const stated = relation.evidence.length > 0;
    if (!sentences.length) return [make("h3", {}, "Evidence"), make("p", { class: "small" }, "None given, and no sentence names both.")];
    const head = make("h3", {}, stated ? "Evidence" : "Sentences that name both");
    const quotes = sentences.map(([from, to, weight]) => make("blockquote", { class: stated ? "" : "plain", dir: "auto" },
      textOf(relation.doc, from, to).slice(0, 2000), weight === null ? null : make("span", { class: "small" }, ` (weight ${weight.toFixed(2)})`)));
    return [head, ...quotes];
  }

  function decide(model, relation, act) {
    const state = relation.state;
    const button = (id, text, key, pressed, run) => make("button", { type: "button", id, "aria-pressed": pressed === null ? null : String(pressed), "aria-keyshortcuts": key, onclick: run }, text);
    const kinds = model.typesFor(relation.first, relation.second);
    const shown = model.shownType(relation);
    const typeBox = make("select", { id: "correct-type" }, ...[...new Set([...kinds, relation.type, shown])].map((index) =>
      make("option", { value: index, selected: index === shown }, model.relationTypes[index].short)));
    const novelty = model.shownNovelty(relation);
    const noveltyBox = make("select", { id: "correct-novelty" }, ...(novelty === 0 ? [0, 2, 1] : [2, 1]).map((code) =>
      make("option", { value: code, selected: code === novelty }, NOVELTY[code])));
    const change = () => act.correct(model.relationTypes[Number(typeBox.value)].name, CODES[Number(noveltyBox.value)]);
    typeBox.addEventListener("change", change);
    noveltyBox.addEventListener("change", change);
    const said = ["", "Accepted", "Rejected", "Corrected", "Added"][state];
    const by = relation.decision?.curator ? ` by ${relation.decision.curator}` : "";
    return make("div", { role: "group", "aria-label": "Decision" },
      make("div", { class: "decide" },
        relation.added ? null : button("accept", "✓ Accept", "a", state === 1, act.accept),
        relation.added ? null : button("reject", "✗ Reject", "r", state === 2, act.reject),
        make("label", {}, "Type", typeBox),
        model.hasNovelty ? make("label", {}, "Novelty", noveltyBox) : null,
        state ? button("undo", relation.added ? "Take out" : "Undo", "u", null, act.undo) : null,
        button("next-open", "Next undecided", "", null, act.next)),
      make("p", { class: "small", role: "status", id: "decision" }, state ? `${said}${by}.` : "Not decided yet."));
  }

  /** The form that adds a relation the reading missed. */
  function drawAdd(form, model, doc, add) {
    const ends = [...doc.entities].filter(([, { mentions }]) => mentions > 0);
    form.replaceChildren();
    if (ends.length < 2) { form.append(make("p", { class: "small" }, "This document has fewer than two entities.")); return; }
    const options = () => ends.map(([index, { name }]) => make("option", { value: index }, `${name} (${model.entityTypes[model.entities[index].type].short} ${model.entities[index].id})`));
    const first = make("select", {}, ...options()), second = make("select", {}, ...options());
    second.selectedIndex = 1;
    const type = make("select", {}), novelty = make("select", {}, ...[2, 1].map((code) => make("option", { value: code }, NOVELTY[code])));
    const fill = () => type.replaceChildren(...model.typesFor(Number(first.value), Number(second.value)).map((index) =>
      make("option", { value: index }, model.relationTypes[index].short)));
    first.addEventListener("change", fill);
    second.addEventListener("change", fill);
    fill();
    form.onsubmit = (event) => {
      event.preventDefault();
      add(Number(first.value), Number(second.value), model.relationTypes[Number(type.value)].name, model.hasNovelty ? CODES[Number(novelty.value)] : null);
    };
    form.append(make("div", { class: "decide" },
      make("label", {}, "Entity", first), make("label", {}, "Type", type), make("label", {}, "Entity", second),
      model.hasNovelty ? make("label", {}, "Novelty", novelty) : null, make("button", { type: "submit" }, "Add")));
  }

  Object.assign(novelink, { drawDetails, drawAdd });
}
