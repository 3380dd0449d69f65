// Which model answers, with the key where one is asked for; then the camera and the upload.
import { Camera } from "./camera.js";
import { askModel, setKey } from "./service.js";
import { Upload } from "./upload.js";

const by = (id) => document.getElementById(id);

async function begin(withKey) {
  let model;
  try {
    model = await askModel();
  } catch (error) {
    by("model").textContent = error.code.startsWith("key_") ? "" : error.message;
    by("key-form").hidden = !error.code.startsWith("key_");
    by("key-problem").textContent = "The key is wrong.";
    by("key-problem").hidden = error.code !== "key_wrong";
    by("key").focus();
    return;
  }
  by("model").textContent = `${model.name} · ${model.method} · ${model.precision}`;
  by("key-form").hidden = true;
  by("key").value = "";
  by("main").hidden = false;
  new Camera(model);
  new Upload(model);
  if (withKey) by(by("camera-button").hidden ? "files" : "camera-button").focus(); // the field of the key has gone
}

by("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  setKey(by("key").value.trim());
  begin(true);
});
begin(false);
