// Shows /openapi.json: routes, what they take, and what they answer.
const by = (id) => document.getElementById(id);

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
}

// Descriptions are Markdown: backticks, and lines broken within a paragraph.
function plain(markdown) {
  return markdown.replaceAll("`", "").replaceAll(/([^\n.?])\n(?!\n)/g, "$1 ").replace("Successful Response", "Done.");
}

function table(rows) {
  const made = element("table");
  for (const cells of rows) made.insertRow().append(...cells.map((cell, place) => {
    const td = element("td");
    td.append(place === 0 ? element("code", cell) : cell);
    return td;
  }));
  const scrolled = element("div", "", "table");
  scrolled.append(made);
  return scrolled;
}

function type(schema) {
  if (schema.$ref) {
    const name = schema.$ref.split("/").pop();
    return api.components.schemas[name].enum ? type(api.components.schemas[name]) : name;
  }
  if (schema.anyOf) return schema.anyOf.map(type).join(" or ");
  if (schema.enum) return schema.enum.map((value) => `"${value}"`).join(", ");
  if (schema.type === "array") return schema.items ? `list of ${type(schema.items)}` : "list of numbers";
  return schema.format ?? schema.type ?? schema.title ?? "";
}

function route(path, method, operation) {
  const section = element("section", "", "card");
  const title = element("h2");
  title.append(element("code", method.toUpperCase(), "method"), element("code", path));
  section.append(title, element("p", plain([operation.summary, operation.description].filter(Boolean).join("\n"))));
  if (operation.security) section.append(element("p", "Needs the API key: Authorization: Bearer KEY", "quiet"));
  const body = operation.requestBody?.content;
  if (body) {
    section.append(element("h3", "Body"));
    section.append(table(Object.entries(body).map(([media, { schema }]) => [
      media, schema.properties ? `fields ${Object.keys(schema.properties).join(", ")}, one or more files` : "a file as it is",
    ])));
  }
  section.append(element("h3", "Answers"));
  section.append(table(Object.entries(operation.responses).map(([status, { description, content }]) => {
    const schema = Object.values(content ?? {})[0]?.schema;
    return [status, plain(description), schema?.$ref ? type(schema) : ""];
  })));
  return section;
}

const response = await fetch("/openapi.json");
const api = await response.json();
by("about").textContent = plain(api.info.description);
by("example").textContent = `curl -F file=@photo.jpg ${location.origin}/v1/score`;
for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, operation] of Object.entries(methods)) by("routes").append(route(path, method, operation));
}
for (const [name, schema] of Object.entries(api.components.schemas)) {
  if (!schema.properties) continue;
  const section = element("section", "", "card");
  section.append(element("h2", name), element("p", plain(schema.description ?? "")));
  section.append(table(Object.entries(schema.properties).map(([field, about]) => [
    field, type(about), plain(about.description ?? ""),
  ])));
  by("routes").append(section);
}
