"use strict";
// The relations of one document as a small graph. The same relations stand in
// the table, which is what keyboards and screen readers use.
{
  const { make } = novelink;
  const SVG = "http://www.w3.org/2000/svg";
  const MOST = 40, RADIUS = 11;
  // In the element's own pixels, so that names are as large as other text.
  let WIDTH = 720, HEIGHT = 340;

  function svg(tag, attributes, ...children) {
    const element = document.createElementNS(SVG, tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  /** Signs say what colour alone must not. */
  const SIGNS = { Positive_Correlation: "+", Negative_Correlation: "−", Bind: "b", Conversion: "→", Cotreatment: "&", Comparison: "?", Drug_Interaction: "i" };

  /** Places by springs and repulsion from a fixed start, so that the same relations give the same picture. */
  function layout(nodes, edges) {
    const count = nodes.length;
    nodes.forEach((node, i) => {
      const angle = (2 * Math.PI * i) / count;
      node.x = WIDTH / 2 + Math.cos(angle) * WIDTH * 0.36;
      node.y = HEIGHT / 2 + Math.sin(angle) * HEIGHT * 0.36;
    });
    const ideal = Math.min(150, Math.sqrt((WIDTH * HEIGHT) / Math.max(1, count)) * 0.8);
    for (let heat = 30; heat > 0.5; heat *= 0.95) {
      for (const node of nodes) { node.dx = (WIDTH / 2 - node.x) * 0.02; node.dy = (HEIGHT / 2 - node.y) * 0.06; }
      for (let i = 0; i < count; i += 1) {
        for (let j = i + 1; j < count; j += 1) {
          const dx = nodes[i].x - nodes[j].x || 0.1, dy = nodes[i].y - nodes[j].y || 0.1;
          const push = (ideal * ideal) / (dx * dx + dy * dy);
          nodes[i].dx += dx * push; nodes[i].dy += dy * push;
          nodes[j].dx -= dx * push; nodes[j].dy -= dy * push;
        }
      }
      for (const { a, b } of edges) {
        const dx = a.x - b.x, dy = a.y - b.y, distance = Math.hypot(dx, dy) || 1;
        const pull = (distance - ideal) / distance * 0.5;
        a.dx -= dx * pull; a.dy -= dy * pull; b.dx += dx * pull; b.dy += dy * pull;
      }
      for (const node of nodes) {
        const step = Math.hypot(node.dx, node.dy) || 1, move = Math.min(step, heat) / step;
        node.x = Math.min(WIDTH - 24, Math.max(24, node.x + node.dx * move));
        node.y = Math.min(HEIGHT - 30, Math.max(22, node.y + node.dy * move));
      }
    }
  }

  /** Draw the relations given; chosen is drawn thick. */
  function drawGraph(target, model, doc, relations, chosen, pickRelation, pickEntity) {
    target.replaceChildren();
    if (!relations.length) { target.append(make("p", { class: "empty" }, "No relation passes the filters.")); return; }
    const nodes = new Map();
    const best = [...relations].sort((a, b) => (b === chosen) - (a === chosen) || (b.score ?? 1) - (a.score ?? 1));
    const edges = [];
    let left = 0;
    for (const relation of best) {
      const fresh = [relation.first, relation.second].filter((end) => !nodes.has(end));
      if (nodes.size + fresh.length > MOST) { left += 1; continue; }
      for (const end of fresh) nodes.set(end, { entity: end, name: doc.entities.get(end).name });
      edges.push({ relation, a: nodes.get(relation.first), b: nodes.get(relation.second) });
    }
    WIDTH = Math.min(900, Math.max(300, target.clientWidth - 28));
    HEIGHT = Math.min(520, Math.max(200, 90 + 32 * nodes.size));
    layout([...nodes.values()], edges);
    const label = `Graph of ${nodes.size} entities and ${edges.length} relations. The table lists the same relations.`;
    const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label });
    for (const { relation, a, b } of edges) picture.append(...drawEdge(model, relation, a, b, chosen, pickRelation));
    for (const node of nodes.values()) picture.append(drawNode(model, node, pickEntity));
    target.append(picture);
    const acting = edges.some(({ relation }) => relation.subject >= 0) ? ", arrow: acts on" : "";
    const key = `+ positive, − negative correlation, dashed: known, thick: chosen${acting}`;
    target.append(make("p", { class: "small" }, left ? `${left} more relations are not drawn: filter to see them. ${key}` : key));
  }

  function drawEdge(model, relation, a, b, chosen, pick) {
    const loop = a === b;
    const path = loop ? `M${a.x},${a.y} c-40,-40 40,-40 0,0` : `M${a.x},${a.y} L${b.x},${b.y}`;
    const type = model.relationTypes[model.shownType(relation)];
    const name = `${a.name} – ${model.said(relation)} – ${b.name}`;
    const line = svg("path", { d: path, class: relation === chosen ? "edge chosen" : "edge" });
    line.style.strokeWidth = `${1 + 2.5 * (relation.score ?? 0.6)}px`;
    if (model.shownNovelty(relation) === 1) line.style.strokeDasharray = "5 4";
    const hit = svg("path", { d: path, class: "hit" }, svg("title", {}, name));
    hit.addEventListener("click", () => pick(relation));
    const sign = svg("text", { class: "sign", x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 + (loop ? -32 : 4) }, SIGNS[type.name] ?? "");
    return [line, ...arrow(relation, a, b), hit, sign];
  }

  /** A head at the entity that is acted on, where it is known which. */
  function arrow(relation, a, b) {
    const length = Math.hypot(b.x - a.x, b.y - a.y);
    if (a === b || length < 2 * RADIUS || ![relation.first, relation.second].includes(relation.subject)) return [];
    const [from, to] = relation.subject === relation.first ? [a, b] : [b, a];
    const x = (to.x - from.x) / length, y = (to.y - from.y) / length;
    const corner = (along, across) => `${to.x - along * x - across * y},${to.y - along * y + across * x}`;
    return [svg("polygon", { class: "arrow", points: [corner(RADIUS + 1, 0), corner(RADIUS + 11, 5), corner(RADIUS + 11, -5)].join(" ") })];
  }

  function drawNode(model, node, pick) {
    const type = model.entityTypes[model.entities[node.entity].type];
    const group = svg("g", type ? { "data-c": type.colour } : {});
    const circle = svg("circle", { cx: node.x, cy: node.y, r: RADIUS }, svg("title", {}, `${node.name} (${type?.short ?? "not mentioned"})`));
    circle.addEventListener("click", () => pick(node.entity));
    const name = node.name.length > 24 ? `${node.name.slice(0, 23)}…` : node.name;
    // Names at the borders grow inwards, so that none is cut.
    const anchor = node.x < 90 ? "start" : node.x > WIDTH - 90 ? "end" : "middle";
    const shift = { start: -11, end: 11, middle: 0 }[anchor];
    group.append(circle, svg("text", { x: node.x, y: node.y + 4, "text-anchor": "middle" }, type?.letter ?? ""),
      svg("text", { x: node.x + shift, y: node.y + 25, "text-anchor": anchor }, name));
    return group;
  }

  novelink.drawGraph = drawGraph;
}
