// The page of a report: choose a frame, read numbers off figures, sort and copy tables, draw two parameters against one another.
"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const make = (tag, attributes = {}, text) => {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (text !== undefined) element.textContent = text;
    return element;
  };
  const SVG = "http://www.w3.org/2000/svg";

  // Text that was deflated and written in base 64.
  const unpack = async (text) => {
    const bytes = Uint8Array.from(atob(text.trim()), (c) => c.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return new Response(stream).text();
  };

  // Scales, as the figures have them: lin, log and bent (asinh).
  const bend = { lin: (v) => v, log: (v) => Math.log(v), bent: (v) => Math.asinh(v) };
  const unbend = { lin: (v) => v, log: (v) => Math.exp(v), bent: (v) => Math.sinh(v) };
  const value = (kind, low, high, share) => unbend[kind](bend[kind](low) + share * (bend[kind](high) - bend[kind](low)));
  const share = (kind, low, high, v) => (bend[kind](v) - bend[kind](low)) / (bend[kind](high) - bend[kind](low));
  const axes = (panel) => {
    const d = panel.dataset;
    return { box: d.box.split(" ").map(Number), x: [d.xs, +d.x0, +d.x1], y: [d.ys, +d.y0, +d.y1] };
  };
  const digits = (v, low, high) => {
    const step = Math.abs(high - low) * 1e-4 || 1;
    if (v !== 0 && (Math.abs(v) >= 1e7 || Math.abs(v) < 1e-4)) return v.toExponential(4);
    return v.toFixed(Math.min(12, Math.max(0, Math.ceil(-Math.log10(step)))));
  };

  // Where a pointer is: the panel below it and the numbers there.
  const under = (event) => {
    const svg = event.target.closest && event.target.closest("svg.figure");
    if (!svg) return null;
    const root = svg.getScreenCTM();
    if (!root) return null;
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(root.inverse());
    for (const panel of $$("g.panel", svg)) {
      const { box: [left, top, width, height], x, y } = axes(panel);
      const across = (point.x - left) / width, down = (point.y - top) / height;
      if (across >= 0 && across <= 1 && down >= 0 && down <= 1) {
        return { panel, x: value(...x, across), y: value(...y, 1 - down) };
      }
    }
    return null;
  };

  const tip = make("div", { id: "tip", role: "status" });
  document.body.append(tip);
  const hover = (event) => {
    const found = under(event);
    if (!found) { tip.style.display = "none"; return; }
    const { panel, x, y } = found, d = panel.dataset, lines = [];
    if (d.series && data) {
      const place = nearest(x), row = data.rows[place];
      lines.push(`frame ${row[0]}  ${row[1]}`, ...summary(row));
    }
    lines.push(`${d.xl || "x"} = ${digits(x, +d.x0, +d.x1)}`);
    if (d.yl) lines.push(`${d.yl} = ${digits(y, +d.y0, +d.y1)}`);
    tip.textContent = lines.join("\n");
    tip.style.display = "block";
    const { width, height } = tip.getBoundingClientRect();
    tip.style.left = `${Math.max(2, Math.min(event.clientX + 14, innerWidth - width - 4))}px`;
    tip.style.top = `${event.clientY + 18 + height > innerHeight ? event.clientY - height - 10 : event.clientY + 18}px`;
  };
  document.addEventListener("pointermove", hover);
  document.addEventListener("pointerleave", () => { tip.style.display = "none"; });

  // Light and dark.
  $("#theme")?.addEventListener("click", () => {
    const dark = getComputedStyle(document.documentElement).getPropertyValue("--paper").trim() !== "#ffffff";
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  });

  // Saving and copying.
  const save = (name, text, type) => {
    const link = make("a", { download: name, href: URL.createObjectURL(new Blob([text], { type })) });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  };
  const asFile = (svg) => {
    const copy = svg.cloneNode(true);
    $$(".cursor", copy).forEach((e) => e.remove());
    const [, , width, height] = svg.getAttribute("viewBox").split(" ");
    copy.setAttribute("width", width);
    copy.setAttribute("height", height);
    copy.removeAttribute("class");
    const style = document.createElementNS(SVG, "style");
    style.textContent = $("#look").textContent;
    const paper = document.createElementNS(SVG, "rect");
    for (const [k, v] of Object.entries({ width, height, fill: "#fff" })) paper.setAttribute(k, v);
    copy.prepend(style, paper);
    return new XMLSerializer().serializeToString(copy);
  };
  const csv = (rows) => rows.map((row) => row.map((cell) => {
    const text = cell === null || cell === undefined ? "" : String(cell);
    return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  }).join(",")).join("\n") + "\n";
  const copy = async (text, button) => {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Pages from a file may not have the clipboard: an area that is selected and copied always works.
      const area = make("textarea");
      area.value = text;
      document.body.append(area);
      area.select();
      document.execCommand("copy");
      area.remove();
    }
    const word = button.textContent;
    button.textContent = "copied";
    setTimeout(() => { button.textContent = word; }, 900);
  };
  const order = (a, b) => {
    const [x, y] = [a, b].map((v) => (v === null || v === "" ? NaN : Number(v)));
    if (!Number.isNaN(x) && !Number.isNaN(y)) return x - y;
    if (Number.isNaN(x) !== Number.isNaN(y)) return Number.isNaN(x) ? 1 : -1;
    return String(a ?? "").localeCompare(String(b ?? ""), "en", { numeric: true });
  };
  const turn = (heading, headings) => {
    const ascending = heading.getAttribute("aria-sort") !== "ascending";
    headings.forEach((h) => h.removeAttribute("aria-sort"));
    heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    return ascending ? 1 : -1;
  };
  const textual = (text) => text !== "" && Number.isNaN(Number(text));
  const align = (table) => $$("tbody td", table).forEach((cell) => cell.classList.toggle("text", textual(cell.textContent)));
  document.addEventListener("click", (event) => {
    const target = event.target;
    if (!target.closest) return;
    if (target.matches("button.save")) {
      save(`${target.dataset.name}.svg`, asFile($("svg.figure", target.closest("figure"))), "image/svg+xml");
    } else if (target.matches("button.copy")) {
      const table = $("table", target.closest(".tools").nextElementSibling);
      copy(csv($$("tr", table).map((row) => [...row.cells].map((c) => c.textContent))), target);
    } else if (target.matches("table.sortable th")) {
      const headings = [...target.parentElement.cells], column = headings.indexOf(target), body = $("tbody", target.closest("table"));
      const sign = turn(target, headings);
      body.append(...[...body.rows].sort((a, b) => sign * order(a.cells[column].textContent, b.cells[column].textContent)));
    } else {
      const found = under(event);
      if (found && found.panel.dataset.series && data) show(nearest(found.x), true);
    }
  });

  // The series.
  let data = null, sorted = [], now = 0;
  const nearest = (x) => {
    let low = 0, high = sorted.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (data.x[sorted[middle]] <= x) low = middle; else high = middle;
    }
    return Math.abs(data.x[sorted[low]] - x) <= Math.abs(data.x[sorted[high]] - x) ? sorted[low] : sorted[high];
  };
  // Most probable candidate, verdict and fit of every window.
  const summary = (row) => {
    const lines = [];
    for (let i = 3; i + 5 < row.length; i += 6) lines.push(`${row[i] ?? "?"}, p = ${row[i + 1] ?? "?"}, verdict ${row[i + 4] ?? "?"}, fit ${row[i + 5] ?? "?"}`);
    return lines;
  };

  // The table of frames shows a page at a time: ten thousand rows would make every step slow.
  const ROWS = 25;
  let rows = [], page = 0;
  const layFrames = () => {
    const table = $("#frame-table");
    if (!table) return;
    const body = $("tbody", table);
    body.replaceChildren(...rows.slice(page * ROWS, (page + 1) * ROWS).map((place) => {
      const line = make("tr", { "data-place": place });
      if (place === now) line.className = "now";
      line.append(...data.rows[place].map((v) => make("td", {}, v === null ? "" : String(v))));
      return line;
    }));
    align(table);
    const last = Math.ceil(rows.length / ROWS);
    $("#pages").replaceChildren();
    if (last < 2) return;
    const step = (text, to) => {
      const button = make("button", { type: "button" }, text);
      button.disabled = to < 0 || to >= last;
      button.addEventListener("click", () => { page = to; layFrames(); });
      return button;
    };
    $("#pages").append(step("‹", page - 1), ` page ${page + 1} of ${last} `, step("›", page + 1));
  };
  const startFrames = () => {
    const table = $("#frame-table");
    if (!table) return;
    const head = make("thead"), line = make("tr");
    line.append(...data.columns.map((c) => make("th", {}, c)));
    head.append(line);
    table.append(head, make("tbody"));
    line.addEventListener("click", (event) => {
      const headings = [...line.cells], column = headings.indexOf(event.target);
      if (column < 0) return;
      const sign = turn(event.target, headings);
      rows.sort((a, b) => sign * order(data.rows[a][column], data.rows[b][column]) || a - b);
      page = 0;
      layFrames();
    });
    $("tbody", table).addEventListener("click", (event) => {
      const line = event.target.closest("tr");
      if (line) show(+line.dataset.place, true);
    });
    $("#copy-frames").addEventListener("click", (event) => copy(csv([data.columns, ...rows.map((place) => data.rows[place])]), event.target));
  };

  // The mark of the chosen frame in every view of the series.
  const marks = [];
  const startMarks = () => {
    for (const panel of $$("#series g.panel[data-series]")) {
      const mark = document.createElementNS(SVG, "line");
      mark.setAttribute("class", "cursor");
      panel.append(mark);
      marks.push({ mark, ...axes(panel) });
    }
  };
  const mark = () => {
    for (const { mark, box: [left, top, width, height], x } of marks) {
      const at = left + width * share(...x, data.x[now]);
      for (const [k, v] of Object.entries({ x1: at, x2: at, y1: top, y2: top + height })) mark.setAttribute(k, v);
    }
  };

  // Once the page stands, the address follows the frame that is chosen: one that is kept or sent leads there, #last to the last frame.
  const ready = () => document.body.dataset.ready === "1";
  const addressed = () => (location.hash === "#last" ? data.rows.length - 1 : data.rows.findIndex((row) => location.hash === `#frame-${row[0]}`));

  // The details of a frame: unpacked when they are asked for, the last few kept.
  const packed = new Map($$("script.packed").map((s) => [+s.dataset.place, s]));
  const kept = new Map();
  const details = async (place) => {
    if (kept.has(place)) return kept.get(place);
    const script = packed.get(place);
    if (!script) return null;
    const html = await unpack(script.textContent);
    kept.set(place, html);
    if (kept.size > 12) kept.delete(kept.keys().next().value);
    return html;
  };
  const show = async (place, scroll) => {
    now = Math.max(0, Math.min(data.rows.length - 1, place));
    const row = data.rows[now], slider = $("#slider");
    if (slider) slider.value = now;
    $("#frame-title").textContent = `Frame ${row[0]}: ${row[1]}`;
    const facts = summary(row);
    if (row[2] !== null) facts.unshift(`${data.columns[2]} ${row[2]}`);
    $("#frame-facts").replaceChildren(...facts.map((f) => make("span", {}, f)));
    mark();
    if ($("#frame-table")) {
      const at = rows.indexOf(now);
      if (Math.floor(at / ROWS) !== page || !$(`#frame-table tr[data-place="${now}"]`)) { page = Math.floor(at / ROWS); layFrames(); }
      $$("#frame-table tr.now").forEach((r) => r.classList.remove("now"));
      $(`#frame-table tr[data-place="${now}"]`)?.classList.add("now");
    }
    if (scroll) $("#frame").scrollIntoView();
    if (ready()) history.replaceState(null, "", `#frame-${row[0]}`);
    const asked = now, html = await details(now);
    if (asked !== now) return;
    const place_ = $("#detail");
    if (html === null) {
      place_.replaceChildren(make("p", { class: "missing" },
        `The details of this frame are not in this file, which holds those of ${packed.size} frames. `
        + `Shift with ← or → goes to the next one that is; keisoku report DIR --frame ${row[0]} puts this one in.`));
    } else {
      place_.innerHTML = html;
      $$("table", place_).forEach(align);
      $$("figure.pair", place_).forEach(startPair);
    }
    document.body.dataset.shown = now;
  };
  const step = (by, held) => {
    let place = now + by;
    if (held) while (place >= 0 && place < data.rows.length && !packed.has(place)) place += by;
    if (place >= 0 && place < data.rows.length) show(place);
  };

  // Two parameters against one another.
  let chosen = ["", ""];
  const ticks = (low, high, about) => {
    const raw = (high - low) / about, size = 10 ** Math.floor(Math.log10(raw));
    const by = [1, 2, 5, 10].map((m) => m * size).find((s) => s >= raw * 0.999);
    const places = Math.max(0, -Math.floor(Math.log10(by))), all = [];
    for (let i = Math.ceil(low / by); i * by <= high * (1 + 1e-12) + 1e-12 * by; i++) {
      const v = i * by;
      all.push([v, Math.abs(v) >= 1e5 ? v.toExponential(2) : v.toFixed(Math.min(places, 12)).replace("-", "−")]);
    }
    return all;
  };
  const startPair = (figure) => {
    const draws = JSON.parse($(".draws", figure).textContent), all = draws.parameters;
    const [across, upwards] = [$(".pair-x", figure), $(".pair-y", figure)];
    for (const select of [across, upwards]) select.append(...all.map((p, i) => make("option", { value: i }, p.label)));
    const known = (label, other) => { const i = all.findIndex((p) => p.label === label); return i < 0 ? other : i; };
    const first = Math.max(0, all.findIndex((p) => p.label.startsWith("center")));
    across.value = known(chosen[0], first);
    upwards.value = known(chosen[1], (first + 1) % all.length);
    const draw = () => {
      const x = all[+across.value], y = all[+upwards.value];
      chosen = [x.label, y.label];
      $(".pair-plot", figure).replaceChildren(pairPlot(x, y, draws.steps));
    };
    across.addEventListener("change", draw);
    upwards.addEventListener("change", draw);
    draw();
  };
  const pairPlot = (x, y, steps) => {
    const element = (tag, attributes, text) => {
      const e = document.createElementNS(SVG, tag);
      for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
      if (text !== undefined) e.textContent = text;
      return e;
    };
    const [width, height, left, top] = [620, 400, 92, 10], box = [left, top, width - left - 16, height - top - 48];
    const room = (p) => { const r = 0.04 * (p.high - p.low) || 0.05 * Math.abs(p.low) || 1; return [p.low - r, p.high + r]; };
    const [x0, x1] = room(x), [y0, y1] = room(y);
    const px = (v) => box[0] + box[2] * (v - x0) / (x1 - x0), py = (v) => box[1] + box[3] * (1 - (v - y0) / (y1 - y0));
    const of = (p, i) => p.low + (p.high - p.low) * p.at[i] / steps;
    const svg = element("svg", { class: "figure", viewBox: `0 0 ${width} ${height}`, "font-size": 13, role: "img", "data-what": "pair", "aria-label": `${x.label} and ${y.label}` });
    const panel = element("g", { class: "panel", "data-box": box.join(" "), "data-x0": x0, "data-x1": x1, "data-xs": "lin", "data-y0": y0, "data-y1": y1, "data-ys": "lin", "data-xl": x.label, "data-yl": y.label });
    panel.append(element("path", { class: "dot draws s0", "stroke-opacity": 0.6, d: x.at.map((_, i) => `M${px(of(x, i)).toFixed(2)} ${py(of(y, i)).toFixed(2)}h.01`).join("") }));
    panel.append(element("rect", { class: "frame", x: box[0], y: box[1], width: box[2], height: box[3] }));
    let d = "";
    for (const [v, text] of ticks(x0, x1, 6)) {
      d += `M${px(v)} ${box[1] + box[3]}v-5`;
      panel.append(element("text", { x: px(v), y: box[1] + box[3] + 17, "text-anchor": "middle" }, text));
    }
    for (const [v, text] of ticks(y0, y1, 6)) {
      d += `M${box[0]} ${py(v)}h5`;
      panel.append(element("text", { x: box[0] - 7, y: py(v) + 4.5, "text-anchor": "end" }, text));
    }
    panel.append(element("path", { class: "tick", d }));
    panel.append(element("text", { x: box[0] + box[2] / 2, y: height - 8, "text-anchor": "middle" }, x.label));
    panel.append(element("text", { transform: `translate(14 ${box[1] + box[3] / 2}) rotate(-90)`, "text-anchor": "middle" }, y.label));
    svg.append(panel);
    return svg;
  };

  // Begin.
  const start = async () => {
    $$("table.sortable").forEach(align);
    if (!$("#data") || !$("#frame-title")) { document.body.dataset.ready = "1"; return; }
    data = JSON.parse(await unpack($("#data").textContent));
    sorted = data.x.map((_, i) => i).sort((a, b) => data.x[a] - data.x[b]);
    rows = data.rows.map((_, i) => i);
    startFrames();
    layFrames();
    startMarks();
    const slider = $("#slider");
    if (slider) {
      slider.addEventListener("input", () => show(+slider.value));
      $("#back").addEventListener("click", () => step(-1));
      $("#on").addEventListener("click", () => step(1));
      document.addEventListener("keydown", (event) => {
        const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
        if (!by || event.altKey || event.ctrlKey || event.metaKey || event.target.matches("select, input[type=text], textarea")) return;
        event.preventDefault();
        step(by, event.shiftKey);
      });
    }
    addEventListener("hashchange", () => { if (addressed() >= 0) show(addressed()); });
    await show(addressed() >= 0 ? addressed() : slider ? +slider.value : 0);
    document.body.dataset.ready = "1";
  };
  start();
})();
