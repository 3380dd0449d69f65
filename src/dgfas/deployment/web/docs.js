// Shows /openapi.json: routes, what they take, and what they answer.
const by = (id) => document.getElementById(id);

function element(name, text = "", className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  made.className = className;
  return made;
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
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (schema.anyOf) return schema.anyOf.map(type).join(" or ");
  if (schema.enum) return schema.enum.map((value) => `"${value}"`).join(", ");
  if (schema.type === "array") return schema.items ? `list of ${type(schema.items)}` : "list of numbers";
  return schema.format ?? schema.type ?? schema.title ?? "";
}

function route(path, method, operation) {
  const section = element("section", "", "card");
  const title = element("h2");
  title.append(element("code", method.toUpperCase(), "method"), element("code", path));
  section.append(title, element("p", [operation.summary, operation.description].filter(Boolean).join("\n")));
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
    return [status, [description, schema?.$ref ? type(schema) : ""].filter(Boolean).join(": ")];
  })));
  return section;
}

const response = await fetch("/openapi.json");
const api = await response.json();
by("about").textContent = api.info.description.replaceAll("`", "");
by("example").textContent = `curl -F file=@photo.jpg ${location.origin}/v1/score`;
for (const [path, methods] of Object.entries(api.paths)) {
  for (const [method, operation] of Object.entries(methods)) by("routes").append(route(path, method, operation));
}
for (const [name, schema] of Object.entries(api.components.schemas)) {
  if (!schema.properties) continue;
  const section = element("section", "", "card");
  section.append(element("h2", name), element("p", schema.description ?? ""));
  section.append(table(Object.entries(schema.properties).map(([field, about]) => [
    field, type(about), about.description ?? "",
  ])));
  by("routes").append(section);
}
