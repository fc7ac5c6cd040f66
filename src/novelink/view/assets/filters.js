"use strict";
// The filter form: its state, and how many relations each choice would show.
{
  const { make, number, NOVELTY, STATES, MARK_NAMES } = novelink;

  class Filters {
    constructor(form, model, change) {
      this.form = form;
      this.model = model;
      this.change = change;
      this.low = 0;
      this.high = 1;
      this.query = "";
      this.types = new Uint8Array(model.relationTypes.length).fill(1);
      this.kinds = new Uint8Array(model.entityTypes.length).fill(1);
      this.novelty = new Uint8Array(3).fill(1);
      this.states = new Uint8Array(STATES.length).fill(1);
      this.outputs = {};
      form.replaceChildren(
        this.search(),
        this.group("types", "Relation", model.relationTypes.map((type) => type.short)),
        this.group("novelty", "Novelty", NOVELTY),
        this.score(),
        this.group("kinds", "Entities", model.entityTypes.map((type) => type.short)),
        this.group("states", "Decision", MARK_NAMES),
      );
      form.addEventListener("submit", (event) => event.preventDefault());
    }

    search() {
      this.box = make("input", { type: "search", id: "entity-filter", list: "entity-names", placeholder: "name or id", autocomplete: "off" });
      this.names = make("datalist", { id: "entity-names" });
      this.box.addEventListener("input", () => { this.query = this.box.value; this.suggest(); this.change(); });
      return make("fieldset", {}, make("label", { class: "name", for: "entity-filter" }, "Entity"), this.box, this.names);
    }

    suggest() {
      const wanted = this.query.trim().toLowerCase();
      const found = [];
      if (wanted.length > 1) {
        for (const entity of this.model.entities) {
          if (entity.found.includes(wanted) && entity.name) found.push(entity);
          if (found.length === 12) break;
        }
      }
      this.names.replaceChildren(...found.map((entity) => make("option", { value: entity.name }, entity.id)));
    }

    group(name, title, choices) {
      const set = make("fieldset", { class: `of-${name}` }, make("legend", {}, title));
      this.outputs[name] = choices.map((choice, index) => {
        const output = make("output", {}, "");
        const box = make("input", { type: "checkbox", checked: true, name, value: index });
        box.addEventListener("change", () => { this[name][index] = box.checked ? 1 : 0; this.change(); });
        set.append(make("label", { class: "choice" }, box, choice, output));
        return output;
      });
      return set;
    }

    score() {
      this.range = make("input", { type: "range", id: "score-filter", min: "0", max: "1", step: "0.01", value: "0" });
      this.value = make("output", { for: "score-filter" }, "any");
      this.range.addEventListener("input", () => {
        this.low = Number(this.range.value);
        this.value.textContent = this.low ? `at least ${this.low.toFixed(2)}` : "any";
        this.change();
      });
      const scored = this.model.relations.some((relation) => relation.score !== null);
      return make("fieldset", { hidden: !scored }, make("label", { class: "name", for: "score-filter" }, "Score: ", this.value), this.range);
    }

    /** Show counts; choices that no relation has are hidden while they are on. */
    count(counts) {
      for (const [name, outputs] of Object.entries(this.outputs)) {
        outputs.forEach((output, index) => {
          output.textContent = number(counts[name][index]);
          output.parentElement.hidden = counts[name][index] === 0 && this[name][index] === 1 && !this.used(name, index);
        });
        const set = outputs[0]?.closest("fieldset");
        if (!set) continue;
        const shown = outputs.filter((output) => !output.parentElement.hidden);
        // "undecided" alone is no choice.
        set.hidden = shown.length === 0 || (name === "states" && shown.length === 1 && this.states.every(Boolean));
      }
    }

    used(name, index) {
      this.present ??= this.presence();
      return this.present[name]?.[index] ?? false;
    }

    presence() {
      const found = { types: [], novelty: [], kinds: [], states: [] };
      for (const relation of this.model.relations) {
        found.types[relation.type] = true;
        found.novelty[relation.novelty] = true;
        for (const end of [relation.first, relation.second]) found.kinds[this.model.entities[end].type] = true;
      }
      return found;
    }

    get active() {
      return this.query.trim() !== "" || this.low > 0 || [this.types, this.kinds, this.novelty, this.states].some((set) => set.includes(0));
    }

    clear() {
      for (const set of [this.types, this.kinds, this.novelty, this.states]) set.fill(1);
      this.form.querySelectorAll("input[type=checkbox]").forEach((box) => { box.checked = true; });
      this.low = 0; this.range.value = 0; this.value.textContent = "any";
      this.ask("");
    }

    ask(query) { this.query = query; this.box.value = query; this.change(); }
  }

  novelink.Filters = Filters;
}
