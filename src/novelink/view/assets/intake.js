"use strict";
// The web application around the page: text, ids or a file become a job, the
// job's progress is watched, and its decisions are kept by the server.
{
  const { App, make, save, plural } = novelink;
  const $ = (id) => document.getElementById(id);

  /** JSON of the server, or an error that says what to do. */
  async function ask(path, options = {}) {
    let answer;
    try { answer = await fetch(path, options); } catch { throw new Error("The server does not answer. Is it still running?"); }
    const data = await answer.json().catch(() => ({}));
    if (!answer.ok) throw new Error(data.error ? `${sentence(data.error.message)} ${sentence(data.error.remedy)}` : `The server answered ${answer.status}.`);
    return data;
  }

  const sentence = (text) => text.charAt(0).toUpperCase() + text.slice(1) + (/[.!?]$/.test(text) ? "" : ".");

  /** Keeps decisions in the server's database. */
  class ServerKeeper {
    constructor(job) { this.path = `/v1/jobs/${encodeURIComponent(job)}/decisions`; }
    get place() { return "They are kept in this server's database as they are made."; }
    async load() { return (await ask(this.path)).decisions; }
    async put(record) { await this.send("PUT", record); }
    async remove(record) { await this.send("DELETE", record); }
    async send(method, record) {
      await ask(this.path, { method, headers: { "Content-Type": "application/json" }, body: record ? JSON.stringify(record) : undefined });
    }
  }

  const FILES = [
    ["jsonl", "JSON Lines"], ["pubtator", "PubTator"], ["bioc-json", "BioC JSON"], ["bioc-xml", "BioC XML"], ["tsv", "TSV table"],
    ["csv", "CSV table"], ["parquet", "Parquet"], ["kgx", "KGX graph"], ["indra", "INDRA statements"],
  ];

  // Made up, ids and all: a first look must not depend on a tagger or a network.
  const EXAMPLE = [
    "101|t|Zelamine lowers ORFX1 in gutter disease",
    "101|a|Patients with gutter disease were given zelamine. ORFX1 fell by half, and the disease grew milder.",
    "101\t0\t8\tZelamine\tChemicalEntity\tD990002",
    "101\t16\t21\tORFX1\tGeneOrGeneProduct\t9901",
    "101\t25\t39\tgutter disease\tDiseaseOrPhenotypicFeature\tD990001",
    "101\t54\t68\tgutter disease\tDiseaseOrPhenotypicFeature\tD990001",
    "101\t80\t88\tzelamine\tChemicalEntity\tD990002",
    "101\t90\t95\tORFX1\tGeneOrGeneProduct\t9901",
  ].join("\n");

  class Intake {
    constructor() {
      this.app = new App();
      novelink.app = this.app;
      this.app.drawMore = (target) => this.drawDownloads(target);
      $("intake-form").addEventListener("submit", (event) => { event.preventDefault(); this.startTyped(); });
      $("intake-file").addEventListener("change", (event) => this.startFile(event.target.files[0]));
      $("earlier").addEventListener("change", () => { if ($("earlier").value) this.show($("earlier").value); });
      this.bindDrop();
      $("main").hidden = true;
      $("title").textContent = "NoveLink";
      $("show-decisions").hidden = true;
      $("show-decisions").firstChild.data = "Decisions and downloads ";
      $("example").addEventListener("click", () => { $("intake-text").value = EXAMPLE; $("start").focus(); });
      this.listEarlier();
      const job = new URLSearchParams(location.hash.slice(1)).get("job");
      if (job) this.show(job); else document.documentElement.dataset.ready = "true";
    }

    bindDrop() {
      for (const kind of ["dragover", "dragleave", "drop"]) {
        // Anywhere: a file that misses the box must not replace the page.
        addEventListener(kind, (event) => {
          event.preventDefault();
          $("drop").classList.toggle("over", kind === "dragover");
          if (kind === "drop" && event.dataTransfer.files.length) this.startFile(event.dataTransfer.files[0]);
        });
      }
    }

    startTyped() {
      const text = $("intake-text").value, ids = $("intake-ids").value.split(/[\s,;]+/).filter(Boolean);
      if (text.trim()) this.start(text, "text/plain", "");
      else if (ids.length) this.start(JSON.stringify({ pmids: ids }), "application/json", plural(ids.length, "paper"));
      else this.complain("Paste text, give ids or choose a file first.");
    }

    startFile(file) { if (file) this.start(file, "application/octet-stream", file.name); $("intake-file").value = ""; }

    async start(body, type, name) {
      this.complain("");
      $("start").disabled = true;
      this.progress({ stage: "sending", done: 0, total: 0 });
      try {
        const job = await ask(`/v1/jobs?name=${encodeURIComponent(name.slice(0, 200))}`, { method: "POST", headers: { "Content-Type": type }, body });
        await this.watch(job.id);
        $("intake-text").value = $("intake-ids").value = "";
        await this.show(job.id);
        this.listEarlier();
      } catch (error) { this.complain(error.message); } finally {
        $("progress").hidden = true;
        $("start").disabled = false;
      }
    }

    /** Follow a job to its end by server-sent events. */
    watch(id) {
      return new Promise((resolve, reject) => {
        const source = new EventSource(`/v1/jobs/${encodeURIComponent(id)}/events`);
        const end = (finish) => { source.close(); finish(); };
        source.addEventListener("progress", (event) => this.progress(JSON.parse(event.data)));
        source.addEventListener("done", () => end(resolve));
        source.addEventListener("failed", (event) => {
          const { message, remedy } = JSON.parse(event.data).error;
          end(() => reject(new Error(`${sentence(message)} ${sentence(remedy)}`)));
        });
        source.addEventListener("stopping", () => end(() => reject(new Error("The server is stopping. Start the job again when it is back."))));
        // The browser connects anew by itself; only a refused connection is final.
        source.onerror = () => { if (source.readyState === EventSource.CLOSED) end(() => reject(new Error("The connection to the server was lost. Reload the page to see whether the job is done."))); };
      });
    }

    progress({ stage, done, total, relations = 0 }) {
      const names = { sending: "Sending", entities: "Finding entities", relations: "Finding relations" };
      $("progress").hidden = false;
      $("stage").textContent = total ? `${names[stage]}: ${done} of ${plural(total, "document")}, ${plural(relations, "relation")} so far` : names[stage];
      if (total) { $("bar").max = total; $("bar").value = done; } else $("bar").removeAttribute("value");
    }

    async show(id) {
      this.complain("");
      try {
        const data = await ask(`/v1/jobs/${encodeURIComponent(id)}/page`);
        this.job = id;
        const place = new URLSearchParams(location.hash.slice(1));
        if (place.get("job") !== id) history.replaceState(null, "", `#${new URLSearchParams({ job: id })}`);
        $("main").hidden = false;
        $("intake-box").open = false;
        $("show-decisions").hidden = false;
        await this.app.open(data, new ServerKeeper(id));
        $("decision-count").textContent = String(this.app.decisions.all().length);
        this.explain(data.facts);
      } catch (error) { this.complain(error.message); document.documentElement.dataset.ready = "true"; }
    }

    /** What was left out is said, never swallowed. */
    explain({ left_out: left, notes, counts }) {
      const reasons = Object.entries(left).map(([id, reason]) => `${id}: ${reason}`);
      const parts = [...notes];
      if (counts.without_entities) parts.push(`${plural(counts.without_entities, "document")} without entities, so without relations.`);
      if (reasons.length) parts.push(`${plural(reasons.length, "document")} left out. ${reasons.slice(0, 5).join("; ")}${reasons.length > 5 ? " …" : ""}`);
      if (parts.length) this.complain(parts.join(" "));
    }

    async listEarlier() {
      try {
        const { jobs } = await ask("/v1/jobs");
        $("earlier").replaceChildren(make("option", { value: "" }, jobs.length ? "open …" : "nothing yet"), ...jobs.map((job) =>
          make("option", { value: job.id }, `${job.name} (${plural(job.documents, "document")}${job.decisions ? `, ${plural(job.decisions, "decision")}` : ""})`)));
      } catch (error) { this.complain(error.message); }
    }

    drawDownloads(target) {
      const path = `/v1/jobs/${encodeURIComponent(this.job)}`;
      const link = (url, text) => make("a", { class: "button", href: url, download: "" }, text);
      target.replaceChildren(
        make("h3", {}, "Gold data: what people confirmed"),
        make("p", { class: "buttons" }, link(`${path}/gold?format=pubtator`, "PubTator"), link(`${path}/gold?format=bioc-xml`, "BioC XML"), link(`${path}/gold?format=bioc-json`, "BioC JSON")),
        make("p", { class: "small" }, "Only documents in which every relation is decided. novelink train takes these files."),
        make("h3", {}, "Results: what the model found"),
        make("p", { class: "buttons" }, ...FILES.map(([name, title]) => link(`${path}/documents?format=${name}`, title))));
    }

    complain(text) { $("intake-error").textContent = text; }
  }

  novelink.ask = ask;
  novelink.save = save;
  novelink.intake = new Intake();
}
