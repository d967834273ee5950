// The explorer's page. Texts of documents and servers become text nodes; the only HTML that is inserted is our server's.
"use strict";

const root = document.body.dataset.root;
const find = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];
const ROW = 46;
const LONGEST_COLOURED = 200000;
const MOST_PAGES = 25;

function make(tag, properties = {}, ...children) {
  const node = Object.assign(document.createElement(tag), properties);
  node.append(...children);
  return node;
}

// ---- the server ---------------------------------------------------------------------------------------------------

async function ask(path, form) {
  const options = form === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Dynclient-Explorer": "1" },
    body: JSON.stringify(form),
  };
  let response;
  try {
    response = await fetch(root + path, { credentials: "same-origin", ...options });
  } catch {
    throw new Error("The explorer does not answer: has it been stopped?");
  }
  if (response.status === 401) location.reload();
  return response;
}

async function askJSON(path, form) {
  const response = await ask(path, form);
  const text = await response.text();
  try {
    return { httpStatus: response.status, value: JSON.parse(text) };
  } catch {
    throw new Error(text.trim() || `status ${response.status}`);
  }
}

function toast(text) {
  const node = find("#toast");
  node.textContent = text;
  node.classList.add("shown");
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => node.classList.remove("shown"), 3500);
}

const later = (work, milliseconds) => {
  let timer;
  return (...given) => { clearTimeout(timer); timer = setTimeout(work, milliseconds, ...given); };
};

// ---- a browser without a session ------------------------------------------------------------------------------------

async function unlock() {
  const token = location.hash.slice(1);
  if (!token) return;
  const response = await fetch(root + "/session", {
    method: "POST", credentials: "same-origin",
    headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token }),
  });
  history.replaceState(null, "", location.pathname + location.search);
  if (response.ok) location.reload();
  else find("#locked-text").textContent = (await response.text()).trim();
}

// ---- the list -------------------------------------------------------------------------------------------------------

const list = { words: "", rows: [], byName: new Map(), shown: [], chosen: -1, box: null, drawn: null };

async function loadList() {
  list.box = find("#list");
  list.drawn = make("div", { className: "rows" });
  list.box.replaceChildren(list.drawn);
  list.rows = (await askJSON("/list")).value;
  list.rows.forEach((row) => list.byName.set(row[0], row));
  list.shown = list.rows;
  list.box.addEventListener("scroll", draw, { passive: true });
  new ResizeObserver(draw).observe(list.box);
  draw();
  mark(current());
}

// Only the rows that can be seen are in the page.
function draw() {
  const height = list.box.clientHeight || 600;
  const first = Math.max(0, Math.floor(list.box.scrollTop / ROW) - 5);
  const last = Math.min(list.shown.length, first + Math.ceil(height / ROW) + 10);
  list.drawn.style.height = `${list.shown.length * ROW}px`;
  list.drawn.replaceChildren(...list.shown.slice(first, last).map((row, index) => rowNode(row, first + index)));
}

function rowNode([name, method, path, summary, tag, deprecated], index) {
  const node = make("a", { href: `${root}/o/${encodeURIComponent(name)}`, className: "row", title: `${method} ${path}` },
    make("span", { className: `method ${method}`, textContent: method }),
    make("span", { className: "texts" },
      make("span", { className: "summary", textContent: summary || name }),
      make("span", { className: "where", textContent: tag ? `${tag} · ${path}` : path })));
  node.style.transform = `translateY(${index * ROW}px)`;
  node.dataset.name = name;
  node.classList.toggle("chosen", index === list.chosen);
  node.classList.toggle("deprecated", deprecated);
  if (name === current()) node.setAttribute("aria-current", "page");
  return node;
}

async function searchNow() {
  const words = find("#search").value.trim();
  const names = words ? (await askJSON(`/find?q=${encodeURIComponent(words)}`)).value : null;
  if (words !== find("#search").value.trim()) return;
  list.words = words;
  list.shown = names ? names.map((name) => list.byName.get(name)).filter(Boolean) : list.rows;
  list.chosen = words && list.shown.length ? 0 : -1;
  list.box.scrollTop = 0;
  find("#found").textContent = words
    ? (list.shown.length ? `${list.shown.length} found` : "Nothing found. Try fewer or other words.") : "";
  draw();
}
const search = later(searchNow, 90);

// What was typed last may not be searched yet.
async function openChosen() {
  if (find("#search").value.trim() !== list.words) await searchNow();
  if (list.shown[list.chosen]) open(list.shown[list.chosen][0]);
}

function move(by) {
  if (!list.shown.length) return;
  list.chosen = Math.max(0, Math.min(list.shown.length - 1, list.chosen + by));
  const top = list.chosen * ROW;
  if (top < list.box.scrollTop) list.box.scrollTop = top;
  if (top + ROW > list.box.scrollTop + list.box.clientHeight) list.box.scrollTop = top + ROW - list.box.clientHeight;
  draw();
}

function mark(name) {
  const index = list.shown.findIndex((row) => row[0] === name);
  if (index >= 0) {
    list.chosen = index;
    const top = index * ROW;
    if (top < list.box.scrollTop || top > list.box.scrollTop + list.box.clientHeight - ROW) {
      list.box.scrollTop = Math.max(0, top - list.box.clientHeight / 3);
    }
  }
  draw();
}

// ---- an operation ---------------------------------------------------------------------------------------------------

const forms = new Map();  // what was typed, by operation, as long as the page is open
const confirmed = new Set();
let exports = {};

const current = () => {
  const path = location.pathname.slice(root.length);
  return path.startsWith("/o/") ? decodeURIComponent(path.slice(3)) : "";
};

async function open(name, { push = true, form = null, answer = null } = {}) {
  remember();
  const content = find("#content");
  content.setAttribute("aria-busy", "true");
  try {
    const response = await ask(`/o/${encodeURIComponent(name)}?part=1`);
    const text = await response.text();
    if (!response.ok) throw new Error(text);
    if (push) history.pushState(null, "", `${root}/o/${encodeURIComponent(name)}`);
    content.innerHTML = text;
  } catch (error) {
    toast(error.message);
    return;
  } finally {
    content.removeAttribute("aria-busy");
  }
  content.scrollTop = 0;
  document.title = `${name} · ${find(".brand .title").textContent}`;
  document.body.classList.remove("listing");
  find("#menu").setAttribute("aria-expanded", "false");
  mark(name);
  prepare(form || forms.get(name));
  if (answer) show(answer);
  find("h1", content).focus({ preventScroll: true });
}

function prepare(form) {
  const element = find(".form");
  if (!element) return;
  if (form) fill(form);
  element.addEventListener("input", checkLater);
  element.addEventListener("submit", (event) => { event.preventDefault(); send(); });
  find("#listen")?.addEventListener("click", () => listen(find("#listen")));
  find("#wait")?.addEventListener("click", () => listen(find("#wait"), { wait: true }));
  check();
}

function remember() {
  const article = find(".operation");
  if (article && find(".form")) forms.set(article.dataset.name, read());
}

function read() {
  const given = { arguments: {}, mock: find("#mock")?.checked || false };
  for (const field of all(".form [name]")) given.arguments[field.name] = field.value;
  if (find("#body")) given.body = find("#body").value;
  if (find("#content-type")) given.content_type = find("#content-type").value;
  if (find("#accept")?.value) given.accept = find("#accept").value;
  return given;
}

async function readWithFiles() {
  const given = read();
  for (const field of all("[data-file]")) {
    if (!field.files.length) continue;
    const url = await new Promise((resolve, reject) => {
      const reader = new FileReader();
      reader.onload = () => resolve(reader.result);
      reader.onerror = () => reject(reader.error);
      reader.readAsDataURL(field.files[0]);
    });
    (given.files ||= {})[field.dataset.file] = url.slice(url.indexOf(",") + 1);
  }
  return given;
}

function fill(form) {
  for (const field of all(".form [name]")) {
    if (form.arguments && field.name in form.arguments) field.value = form.arguments[field.name] ?? "";
  }
  const others = [["#body", "body"], ["#content-type", "content_type"], ["#accept", "accept"]];
  for (const [selector, key] of others) {
    if (find(selector) && form[key] !== undefined && form[key] !== null) find(selector).value = form[key];
  }
}

function faultsShown(faults) {
  const rest = [];
  for (const node of all(".fault")) node.replaceChildren();
  for (const node of all("[aria-invalid]")) node.removeAttribute("aria-invalid");
  for (const fault of faults) {
    const base = fault.path.startsWith("$") ? "$" : fault.path.replace(/[[].*$/, "");
    const field = all("[data-path]").find((one) => one.dataset.path === base || base.startsWith(`${one.dataset.path}.`));
    if (!field) { rest.push(fault); continue; }
    const place = base === "$" && fault.path !== "$" ? `${fault.path.slice(2) || "body"}: ` : "";
    const line = make("span", { className: "line", textContent: place + fault.message, title: fault.where });
    find(".fault", field).append(line);
    find("input, select, textarea", field)?.setAttribute("aria-invalid", "true");
  }
  const other = find("#e-other");
  if (other) other.replaceChildren(...rest.map((fault) => make("span", { className: "line", textContent: fault.message })));
}

async function check() {
  const article = find(".operation");
  if (!article || !find(".form")) return;
  const name = article.dataset.name;
  let value;
  try {
    value = (await askJSON(`/check/${encodeURIComponent(name)}`, await readWithFiles())).value;
  } catch (error) {
    toast(error.message);
    return;
  }
  if (find(".operation")?.dataset.name !== name) return;
  if (value.error) { toast(value.error.message); return; }
  faultsShown(value.faults);
  const verdict = find("#verdict");
  verdict.textContent = value.faults.length
    ? `${value.faults.length} ${value.faults.length === 1 ? "fault" : "faults"}` : "valid";
  verdict.className = `small ${value.faults.length ? "bad" : "good"}`;
  find("#where tbody").replaceChildren(...value.where.map((cells) =>
    make("tr", {}, ...cells.map((text) => make("td", { textContent: text })))));
  exports = value.exports;
  showExport();
}
const checkLater = later(check, 250);

function showExport() {
  const tab = find('[role="tab"][aria-selected="true"]');
  if (!tab) return;
  const code = exports[tab.dataset.export];
  if (code !== undefined) find("#tab-shell").hidden = !("shell" in exports);
  find("#export").classList.toggle("hint", code === undefined);
  find("#export").textContent = code ?? "Correct the arguments to see this call as code.";
}

function chooseTab(tab, focus = false) {
  for (const one of all('[role="tab"]')) {
    one.setAttribute("aria-selected", String(one === tab));
    one.tabIndex = one === tab ? 0 : -1;
  }
  find("#export").setAttribute("aria-labelledby", tab.id);
  if (focus) tab.focus();
  showExport();
}

// ---- calls ----------------------------------------------------------------------------------------------------------

function confirmation(article) {
  const name = article.dataset.name;
  if (article.dataset.safe || confirmed.has(name) || find("#mock")?.checked) return Promise.resolve(true);
  const dialog = find("#confirm");
  find("#confirm-line").textContent = article.dataset.line;
  dialog.returnValue = "";
  dialog.showModal();
  find("#confirm-no").focus();
  return new Promise((resolve) => {
    dialog.onclose = () => {
      if (dialog.returnValue === "yes") confirmed.add(name);
      resolve(dialog.returnValue === "yes");
    };
  });
}

async function send(event, resume = null) {
  const article = find(".operation");
  const button = find("#send");
  if (!article || !button || button.disabled) return;
  if (!(await confirmation(article))) return;
  const form = await readWithFiles();
  form.confirmed = confirmed.has(article.dataset.name);
  if (resume !== null) form.resume = resume;
  button.disabled = true;
  button.textContent = "Sending …";
  const panel = find("#answer");
  panel.setAttribute("aria-busy", "true");
  try {
    const { value } = await askJSON(`/send/${encodeURIComponent(article.dataset.name)}`, form);
    if (find(".operation") === article) show(value);
  } catch (error) {
    show({ error: { message: error.message } });
  } finally {
    button.disabled = false;
    button.textContent = "Send";
    panel.removeAttribute("aria-busy");
  }
}

function show(answer) {
  const panel = find("#answer");
  const parts = [];
  const title = make("div", { className: "answer-head" });
  if (answer.status) {
    title.append(make("span", { className: `status s${String(answer.status)[0]}`, textContent: answer.line }));
    title.append(make("span", { className: "small", textContent: `${answer.ms} ms${answer.attempts > 1 ? ` · ${answer.attempts} attempts` : ""}` }));
  } else {
    title.append(make("span", { className: "status s5", textContent: answer.error?.unsent || answer.faults?.length ? "not sent" : "no answer" }));
  }
  title.append(make("span", { className: "space" }));
  if (answer.text) title.append(copyButton("answer-body"));
  parts.push(title);
  if (answer.error) {
    parts.push(make("div", { className: "notice bad" },
      make("strong", { textContent: answer.error.kind || "Error" }), make("p", { textContent: answer.error.message }),
      ...(answer.error.hint ? [make("p", { className: "small", textContent: answer.error.hint })] : [])));
  }
  if (answer.faults?.length) {
    parts.push(make("ul", { className: "faults" }, ...answer.faults.map((fault) =>
      make("li", {}, make("code", { textContent: fault.path }), ` ${fault.message} `,
        make("span", { className: "small", textContent: fault.where })))));
  }
  if (answer.picture) parts.push(make("img", { src: answer.picture, alt: "The answer's picture", className: "picture" }));
  if (answer.bytes) parts.push(make("p", { className: "small", textContent: `${answer.bytes.toLocaleString("en")} bytes of binary data` }));
  if (answer.text) parts.push(bodyNode(answer));
  else if (answer.empty && answer.status) parts.push(make("p", { className: "hint", textContent: "The answer has no body." }));
  if (answer.cut) parts.push(make("p", { className: "small", textContent: `${answer.cut.toLocaleString("en")} more characters are not shown` }));
  if (answer.next) parts.push(pagesNode(answer));
  if (answer.headers) parts.push(headersNode("Headers", answer.headers));
  if (answer.request) parts.push(headersNode(answer.request.line, answer.request.headers, "Sent"));
  panel.replaceChildren(...parts);
  panel.hidden = false;
  if (!answer.status && answer.faults?.length) faultsShown(answer.faults);
  if (matchMedia("(max-width: 1000px)").matches) panel.scrollIntoView({ block: "start", behavior: "smooth" });
}

// The next page, or all of them: each is a request.
function pagesNode(answer) {
  const next = make("button", { type: "button", textContent: "Next page" });
  next.addEventListener("click", () => send(null, answer.next));
  const rest = make("button", { type: "button", textContent: `All pages (at most ${MOST_PAGES})` });
  rest.addEventListener("click", () => allPages(answer));
  return make("div", { className: "buttons" }, next, rest, make("span", { className: "small", textContent: `page ${answer.page}` }));
}

async function allPages(answer) {
  const article = find(".operation");
  const log = make("ol", { className: "items" });
  const count = make("span", { className: "small" });
  const stop = make("button", { type: "button", textContent: "Stop" });
  let going = true;
  stop.addEventListener("click", () => { going = false; });
  find("#answer").replaceChildren(make("div", { className: "answer-head" }, count, make("span", { className: "space" }), stop), log);
  const form = { ...(await readWithFiles()), confirmed: confirmed.has(article.dataset.name) };
  for (let number = 1; ; number += 1) {
    if (answer.error || answer.faults?.length) {
      log.append(make("li", { className: "notice bad", textContent: answer.error?.message || answer.faults[0].message }));
    } else log.append(make("li", {}, make("pre", {}, coloured(answer.text))));
    const end = !answer.next || !going || number >= MOST_PAGES;
    count.textContent = `${number} ${number === 1 ? "page" : "pages"}${end ? (answer.next ? ", there are more" : ", the end") : " …"}`;
    if (end || find(".operation") !== article) break;
    answer = (await askJSON(`/send/${encodeURIComponent(article.dataset.name)}`, { ...form, resume: answer.next })).value;
  }
  stop.remove();
}

function bodyNode(answer) {
  const node = make("pre", { id: "answer-body", tabIndex: 0 });
  node.setAttribute("aria-label", "The answer's body");
  if (answer.json && answer.text.length <= LONGEST_COLOURED) node.append(coloured(answer.text));
  else node.textContent = answer.text;
  return node;
}

function coloured(text) {
  const nodes = document.createDocumentFragment();
  const token = /("(?:[^"\\]|\\.)*")(\s*:)?|\b(true|false|null)\b|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
  let end = 0;
  for (let match = token.exec(text); match; match = token.exec(text)) {
    nodes.append(text.slice(end, match.index));
    const kind = match[1] ? (match[2] ? "key" : "string") : match[3] ? "word" : "number";
    nodes.append(make("span", { className: `j-${kind}`, textContent: match[1] || match[0] }));
    if (match[2]) nodes.append(match[2]);
    end = match.index + match[0].length;
  }
  nodes.append(text.slice(end));
  return nodes;
}

function headersNode(title, pairs, prefix = "") {
  return make("details", { className: "table" }, make("summary", {}, ...(prefix ? [`${prefix}: `, make("code", { textContent: title })] : [title])),
    make("table", {}, make("tbody", {}, ...pairs.map(([name, value]) =>
      make("tr", {}, make("td", { textContent: name }), make("td", { textContent: value }))))));
}

function copyButton(id) {
  const button = make("button", { type: "button", className: "copy", textContent: "Copy" });
  button.dataset.copy = id;
  return button;
}

async function listen(button, more = {}) {
  const article = find(".operation");
  if (listen.running) { listen.running.abort(); return; }
  if (!(await confirmation(article))) return;
  const title = button.textContent;
  const panel = find("#answer");
  const form = { ...(await readWithFiles()), ...more, confirmed: confirmed.has(article.dataset.name) };
  const log = make("ol", { className: "items" });
  const head = make("div", { className: "answer-head" }, make("span", { className: "status", textContent: "waiting" }));
  panel.replaceChildren(head, log);
  panel.hidden = false;
  button.textContent = "Stop";
  listen.running = new AbortController();
  try {
    const response = await fetch(`${root}/items/${encodeURIComponent(article.dataset.name)}`, {
      method: "POST", credentials: "same-origin", signal: listen.running.signal,
      headers: { "Content-Type": "application/json", "X-Dynclient-Explorer": "1" }, body: JSON.stringify(form),
    });
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
      const lines = (rest + piece.value).split("\n");
      rest = lines.pop();
      lines.filter(Boolean).forEach((line) => itemShown(JSON.parse(line), head, log));
    }
  } catch (error) {
    if (error.name !== "AbortError") toast(error.message);
    else head.firstChild.textContent = "stopped";
  } finally {
    listen.running = null;
    button.textContent = title;
  }
}

function itemShown(value, head, log) {
  if (value.status) { head.firstChild.textContent = value.status; head.firstChild.className = `status s${String(value.status)[0]}`; }
  if (value.item !== undefined) {
    log.append(make("li", {}, make("pre", {}, coloured(value.item))));
    if (log.children.length > 500) log.firstChild.remove();
    log.scrollTop = log.scrollHeight;
  }
  if (value.end) head.append(make("span", { className: "small", textContent: `${log.children.length} items, ended` }));
  if (value.faults?.length) { faultsShown(value.faults); head.firstChild.textContent = "not sent"; }
  if (value.error) log.append(make("li", { className: "notice bad", textContent: value.error.message }));
}

// ---- history --------------------------------------------------------------------------------------------------------

async function showHistory() {
  const { value } = await askJSON("/history");
  find("#history-list").replaceChildren(...(value.length ? value.map(historyNode)
    : [make("li", { className: "hint", textContent: "No calls yet." })]));
  if (!find("#history").open) find("#history").showModal();
}

function historyNode(call) {
  const again = make("button", { textContent: "Open" });
  again.addEventListener("click", () => restore(call));
  const resend = make("button", { textContent: "Send again" });
  resend.addEventListener("click", async () => { await restore(call); send(); });
  const test = make("button", { textContent: "As a test" });
  const text = make("pre", { hidden: true, tabIndex: 0 });
  test.addEventListener("click", async () => {
    text.textContent = (await askJSON(`/history/${call.id}`)).value.text;
    text.hidden = !text.hidden;
  });
  return make("li", {}, make("div", { className: "call" },
    make("span", { className: `status s${String(call.status)[0]}`, textContent: call.status || "none" }),
    make("span", { className: "texts" }, make("strong", { textContent: call.key }),
      make("span", { className: "small", textContent: `${call.at} · ${call.ms} ms${call.form.mock ? " · mock" : ""}` })),
    again, resend, test), text);
}

function restore(call) {
  find("#history").close();
  if (find("#mock")) find("#mock").checked = Boolean(call.form.mock);
  return open(call.name, { form: call.form });
}

// ---- page -----------------------------------------------------------------------------------------------------------

function theme(change = false) {
  let kept = null;
  try { kept = localStorage.getItem("dynclient-theme"); } catch { /* a browser may forbid it */ }
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  let now = kept || (dark ? "dark" : "light");
  if (change) {
    now = now === "dark" ? "light" : "dark";
    try { localStorage.setItem("dynclient-theme", now); } catch { /* as above */ }
  }
  document.documentElement.dataset.theme = now;
}

function menu(open) {
  document.body.classList.toggle("listing", open);
  find("#menu").setAttribute("aria-expanded", String(document.body.classList.contains("listing")));
}

function keys(event) {
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); send(); return; }
  if (find("dialog[open]") || event.ctrlKey || event.metaKey || event.altKey) return;
  const inSearch = event.target.id === "search";
  const inList = inSearch || event.target.closest?.("#list") || event.target === document.body;
  if (inList && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    move(event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "Enter" && inSearch) {
    event.preventDefault();
    openChosen();
  } else if (event.key === "Escape" && inSearch) {
    event.target.value = "";
    search();
  } else if (!typing) {
    const work = { "/": () => { menu(true); find("#search").focus(); }, h: showHistory, t: () => theme(true), "?": () => find("#help").showModal() }[event.key];
    if (work) { event.preventDefault(); work(); }
  }
}

function clicked(event) {
  const link = event.target.closest("a");
  if (link && link.origin === location.origin && link.pathname.startsWith(`${root}/o/`) && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    open(decodeURIComponent(link.pathname.slice(root.length + 3)));
    return;
  }
  const tab = event.target.closest('[role="tab"]');
  if (tab) chooseTab(tab);
  const copy = event.target.closest("[data-copy]");
  if (copy) {
    navigator.clipboard?.writeText(document.getElementById(copy.dataset.copy).textContent)
      .then(() => toast("Copied"), () => toast("The browser does not allow copying"));
  }
  if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
}

function tabKeys(event) {
  const tab = event.target.closest?.('[role="tab"]');
  if (!tab || !["ArrowLeft", "ArrowRight"].includes(event.key)) return;
  const tabs = all('[role="tab"]').filter((one) => !one.hidden);
  const step = event.key === "ArrowRight" ? 1 : tabs.length - 1;
  chooseTab(tabs[(tabs.indexOf(tab) + step) % tabs.length], true);
}

function start() {
  theme();
  if ("locked" in document.body.dataset) { unlock(); return; }
  if (location.hash.length > 20) history.replaceState(null, "", location.pathname + location.search);
  find("#search").addEventListener("input", search);
  find("#menu").addEventListener("click", () => menu(!document.body.classList.contains("listing")));
  find("#theme").addEventListener("click", () => theme(true));
  find("#help-button").addEventListener("click", () => find("#help").showModal());
  find("#history-button").addEventListener("click", showHistory);
  find("#confirm-yes").addEventListener("click", () => find("#confirm").close("yes"));
  find("#confirm-no").addEventListener("click", () => find("#confirm").close(""));
  find("#mock")?.addEventListener("change", () => { document.body.classList.toggle("mocked", find("#mock").checked); check(); });
  document.addEventListener("keydown", keys);
  document.addEventListener("keydown", tabKeys);
  document.addEventListener("click", clicked);
  addEventListener("popstate", () => (current() ? open(current(), { push: false }) : location.reload()));
  loadList().catch((error) => toast(error.message));
  prepare(null);
}

start();
